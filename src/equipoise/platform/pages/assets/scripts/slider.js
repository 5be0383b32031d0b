// Puts a slider before the number box of each question that has one. Without this script the box is enough.
// The slider answers nothing until it is moved, so nobody is given an answer that they did not choose.
for (const question of document.querySelectorAll(".eq-slider")) {
  const box = question.querySelector("input");
  const slider = document.createElement("input");
  slider.type = "range";
  slider.className = "eq-slide";
  slider.min = question.dataset.low;
  slider.max = question.dataset.high;
  slider.step = question.dataset.step;
  slider.setAttribute("aria-labelledby", box.id + "-label");
  const follow = () => {
    const entered = Number(box.value.replace(",", "."));
    slider.classList.toggle("eq-slide--untouched", box.value.trim() === "" || Number.isNaN(entered));
    if (box.value.trim() !== "" && !Number.isNaN(entered)) slider.value = entered;
  };
  slider.addEventListener("input", () => {
    box.value = slider.value;
    follow();
  });
  box.addEventListener("input", follow);
  follow();
  question.prepend(slider);
}
