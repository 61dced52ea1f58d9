"""Distribution `rnn-zoo`: the library `zoo` and its rooms.

`zoo/training`, `zoo/export` and `zoo/serving` are links to the folders beside `zoo`.
"""

from pathlib import Path

from setuptools import find_packages, setup

TRAINING = [
    "importlib_resources>=6,<8",  # tensorflow-datasets imports it without saying so
    "sacrebleu>=2.4,<3",
    "sacremoses>=0.1.1,<0.3",
    "scikit-learn>=1.5,<2",
    "scipy>=1.13,<2",
    "sentencepiece>=0.2.3,<0.3",
    "seqeval>=1.2.2,<2",
    "statsmodels>=0.15,<0.16",  # has the series of `forecast`, and the ARIMA beside it
    "tensorboard>=2.19,<3",
    "tensorflow-datasets>=4.9.6,<5",
]
SERVING = [
    "aiohttp>=3.10,<4",
    "grpcio>=1.65,<2",
    "prometheus-client>=0.20,<1",
    "python-rapidjson>=1.18,<2",
    "tensorflow-serving-api>=2.18,<3",
]
# What measures captions; it runs Java (8 or later) besides.
CAPTIONS = ["pycocoevalcap>=1.2,<2"]
TEST = [
    "hypothesis>=6.100,<7",
    "ipykernel>=6.29,<8",  # runs the notebook of docs/
    "kubernetes-validate>=1.37,<2",
    "nbclient>=0.10,<0.12",
    "ovmsclient>=2023.1",
    "pandas>=2.2,<4",  # users have their data in it; the library itself does not need it
    "pillow>=10,<14",  # the reference of how a picture looks
    "pytest>=8,<10",
    "pytest-xdist>=3.6,<4",
    "pyyaml>=6,<7",
    "ruff>=0.6,<1",
    "tf_keras>=2.19,<3",
]
# The browser itself is Debian's chromium.
BROWSER = ["axe-playwright-python>=0.1.4,<0.2", "playwright>=1.45,<2"]
# JoeyNMT pins an old protobuf: benchmarks/decoding.py says how to install it beside this.
BENCHMARKS = ["torch==2.13.0"]
# What the image encoders are compared with where it is installed; of torch and torchvision both
# must be built for the same device.
PARITY = ["scikit-image>=0.24,<1", "torch==2.13.0", "torchvision==0.28.0"]

setup(
    name="rnn-zoo",
    version="0.1.0",
    description="Recurrent networks in Keras, pretrained, from a lecture's slides to TF Serving.",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=["zoo*"]),
    package_data={
        "zoo": ["presets/**/*"],
        "zoo.training": ["corpora/*.txt"],
        "zoo.serving": ["tf_serving/**/*", "playground/**/*"],
    },
    install_requires=[
        "click>=8.1,<9",
        "h5py>=3.11,<4",
        "keras>=3.13,<3.17",
        "matplotlib>=3.8,<4",
        "numpy>=1.26,<3",
        "rich>=13.7,<16",
        "tensorflow>=2.21,<2.22",
        "tensorflow-text>=2.21.1,<2.22",
    ],
    extras_require={
        "training": TRAINING,
        "serving": SERVING,
        "captions": TRAINING + CAPTIONS,
        "test": TEST + TRAINING + SERVING,
        "browser": TEST + TRAINING + SERVING + BROWSER,
        "benchmarks": BENCHMARKS,
        "parity": PARITY,
    },
    entry_points={
        "console_scripts": [
            "zoo = zoo.__main__:main",
            "zoo-train = zoo.training.__main__:main",
            "zoo-export = zoo.export.__main__:main",
            "zoo-serve = zoo.serving.__main__:main",
        ]
    },
)
