// Classic and in the head: the chosen theme must stand before the first paint.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("paraphe-theme");
    if (theme) root.dataset.theme = theme;
  } catch { /* storage may be forbidden: then the system's theme it is */ }
})();
