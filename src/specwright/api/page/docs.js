"use strict";

const settings = JSON.parse(document.getElementById("settings").textContent);

const ui = SwaggerUIBundle({
  url: settings.openapi,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: true,
  tryItOutEnabled: true,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  onComplete: offerPeople,
});

const row = document.getElementById("people");

// Development only: the people of the spec's examples, each one click away.
function offerPeople() {
  if (!settings.people.length) return;
  const label = document.createElement("span");
  label.textContent = "Sign in as";
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  const people = settings.people.map((person) => button(person, (self) => signIn(person, self, status)));
  const nobody = button("nobody", (self) => {
    ui.authActions.logout(["bearer"]);
    show(self, status, "Signed out.");
  });
  row.append(label, ...people, nobody, status);
  row.hidden = false;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => act(made));
  return made;
}

async function signIn(person, button, status) {
  try {
    const answer = await fetch(`${settings.token}?person=${encodeURIComponent(person)}`);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail);
    ui.preauthorizeApiKey("bearer", body.token);
    show(button, status, `Signed in as ${person}.`);
  } catch (error) {
    show(null, status, `Could not sign in as ${person}: ${error.message}`);
  }
}

function show(button, status, text) {
  for (const other of row.querySelectorAll("button")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  status.textContent = text;
}
