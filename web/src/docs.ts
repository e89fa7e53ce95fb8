/**
 * The API docs: Swagger UI, which sends the key of this browser's sign-in like the dashboard does.
 * Its script is loaded before this one. Without a good key there is a way to the sign-in instead.
 */

import { Client } from "./api/client";
import { keyHeaders, takeKey } from "./api/key";
import { BrowserStore } from "./api/store";

interface ApiRequest {
  readonly headers: Record<string, string>;
}

declare const SwaggerUIBundle: (options: object) => void;

async function show(): Promise<void> {
  const store = new BrowserStore();
  const client = new Client("", store);
  const key = takeKey();
  if (key !== null) await client.tryKey(key).catch(() => undefined);
  const headers = keyHeaders(client.key);
  // Where the service does not answer, Swagger UI says so.
  if (client.key === null || !(await client.isKnown(headers).catch(() => true))) {
    const sentence = document.getElementById("signed-out");
    if (sentence !== null) sentence.hidden = false;
    return;
  }
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    // The commands that it shows are for a shell, which has no cookie to go with the key.
    showMutatedRequest: false,
    requestInterceptor: (request: ApiRequest) => {
      Object.assign(request.headers, keyHeaders(client.key));
      return request;
    },
  });
}

void show();
