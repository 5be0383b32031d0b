// Makes a passkey, or shows one, and sends what the browser says of it with the form. Without this script, or
// in a browser that has no passkeys, the form stays hidden and codes are enough.
const form = document.querySelector("form[data-passkey]");
const makes = form?.dataset.passkey === "make";
const kind = window.PublicKeyCredential;
if (form && kind?.parseCreationOptionsFromJSON && kind.parseRequestOptionsFromJSON) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = document.getElementById("passkey-problem");
    told.textContent = "";
    try {
      const options = JSON.parse(form.dataset.options).publicKey;
      const credential = makes
        ? await navigator.credentials.create({ publicKey: kind.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: kind.parseRequestOptionsFromJSON(options) });
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      told.textContent = form.dataset.problem;
    }
  });
}
