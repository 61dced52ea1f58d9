"""Pictures of every format, made by PIL, which is also the reference that decodes them."""

import io

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 48, 36
ORIENTATION = 0x0112


def photo():
    """Patches of colour and a light from one corner: no two turns of it look alike."""
    patches = np.random.default_rng(0).integers(0, 200, [3, 4, 3])
    pixels = np.kron(patches, np.ones([12, 12, 1]))
    return Image.fromarray((pixels + np.linspace(0, 55, WIDTH)[None, :, None]).astype(np.uint8))


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def with_alpha():
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), [HEIGHT, 1])
    image = photo().convert("RGBA")
    image.putalpha(Image.fromarray(alpha))
    return image


def of_16_bits():
    return Image.fromarray(
        (np.arange(WIDTH * HEIGHT).reshape(HEIGHT, WIDTH) * 37).astype(np.uint16)
    )


def clear_gif():
    """A GIF whose first colour is transparent, and which stands there as green."""
    image = photo().quantize(16)
    image.putpalette([0, 255, 0, *image.getpalette()[3:]])
    return saved(image, "GIF", transparency=0)


def jpeg(**options):
    return saved(photo(), "JPEG", quality=95, subsampling=0, **options)


def turned(orientation, byte_order="<", form="JPEG"):
    exif = Image.Exif()
    exif.endian = byte_order
    exif[ORIENTATION] = orientation
    return jpeg(exif=exif) if form == "JPEG" else saved(photo(), form, exif=exif)


def every_kind():
    """Contents by name."""
    image = photo()
    other = Image.new("RGB", image.size, "red")
    return {
        "jpeg": jpeg(),
        "progressive jpeg": jpeg(progressive=True),
        "jpeg with few colours": saved(image, "JPEG", subsampling=2),
        "grey jpeg": saved(image.convert("L"), "JPEG", quality=95),
        "cmyk jpeg": saved(image.convert("CMYK"), "JPEG", quality=95),
        "jpeg with more behind its end": jpeg() + b"trailing",
        "png": saved(image, "PNG"),
        "grey png": saved(image.convert("L"), "PNG"),
        "png with a palette": saved(image.quantize(), "PNG"),
        "png with alpha": saved(with_alpha(), "PNG"),
        "grey png with alpha": saved(with_alpha().convert("LA"), "PNG"),
        "png with a transparent colour": saved(image, "PNG", transparency=image.getpixel((0, 0))),
        "png of 16 bits": saved(of_16_bits(), "PNG"),
        "black and white png": saved(image.convert("1"), "PNG"),
        "gif": saved(image, "GIF"),
        "animated gif": saved(image, "GIF", save_all=True, append_images=[other, other]),
        "clear gif": clear_gif(),
        "bmp": saved(image, "BMP"),
        "bmp with a palette": saved(image.quantize(), "BMP"),
        "grey bmp": saved(image.convert("L"), "BMP"),
        "bmp of 32 bits": saved(image.convert("RGBA"), "BMP"),
        "one pixel": saved(Image.new("RGB", (1, 1), (10, 200, 30)), "PNG"),
        "one row": saved(image.resize((300, 1)), "PNG"),
        **{f"exif {turn}": turned(turn) for turn in range(1, 9)},
        "exif in the other byte order": turned(6, ">"),
        "exif that makes no sense": turned(99),
        "png with exif": turned(6, form="PNG"),
        "png with exif in the other byte order": turned(5, ">", "PNG"),
    }


def as_seen(content, size):
    """What PIL shows of a content, on white, squashed: uint8 `[size, size, 3]`."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("LA", "RGBA") or "transparency" in image.info:
        page = Image.new("RGBA", image.size, "white")
        page.alpha_composite(image.convert("RGBA"))
        image = page
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
