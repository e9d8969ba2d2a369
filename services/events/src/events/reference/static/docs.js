"use strict";

const api = document.getElementById("api");

window.ui = SwaggerUIBundle({
  domNode: api,
  url: api.dataset.openapi,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null, // the default would send our description to another host
});

document.getElementById("service").addEventListener("change", (event) => event.target.form.submit());
