// Light or dark: the system's choice until somebody chooses here.

const KEY = "playground-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** Makes a switch of the button, and applies what was chosen last time. */
export function startTheme(button) {
  const root = document.documentElement.dataset;
  const isDark = () => (root.theme ? root.theme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-checked", isDark());
  const chosen = remembered();
  if (chosen) root.theme = chosen;
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.theme = theme;
    remember(theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}

// A browser may forbid a page to store anything; the switch then lasts as long as the page.

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // as said
  }
}
