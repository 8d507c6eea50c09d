// Tells the pages of diagrams in frames whether the document around them is light or dark.
(() => {
  if (window.layergraphPalette) return;
  const isDark = (element) => {
    const [red, green, blue, alpha = 1] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
    return alpha === 0 ? undefined : 0.3 * red + 0.6 * green + 0.1 * blue < 128;
  };
  const palette = () => ((isDark(document.body) ?? isDark(document.documentElement)) ? "dark" : "light");
  const tell = (frame) => frame.postMessage({ layergraph: palette() }, "*");
  const tellAll = () =>
    requestAnimationFrame(() => {
      for (const one of document.querySelectorAll("iframe.layergraph-page")) tell(one.contentWindow);
    });
  window.layergraphPalette = new MutationObserver(tellAll);
  for (const one of [document.documentElement, document.body]) {
    window.layergraphPalette.observe(one, { attributes: true });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tellAll);
  addEventListener("message", ({ data, source }) => {
    if (data?.layergraph === "which palette") tell(source);
  });
})();
