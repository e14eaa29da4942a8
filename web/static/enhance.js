// Every page works without this.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    const label = button.querySelector("span");
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });
}

// On a narrow screen these bars scroll sideways: show where one is.
for (const current of document.querySelectorAll(".nav [aria-current], .tabs [aria-current]")) {
  const bar = current.closest(".nav, .tabs");
  new ResizeObserver(() => {
    const [item, middle] = [current, bar].map((of) => of.getBoundingClientRect()).map((box) => box.left + box.width / 2);
    bar.scrollLeft += item - middle;
  }).observe(bar);
}
