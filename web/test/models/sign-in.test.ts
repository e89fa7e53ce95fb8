import { describe, expect, it } from "vitest";
import { Client } from "../../src/api/client";
import { SignInModel, tokenOf } from "../../src/models/sign-in";
import { eachWithService, Refusal } from "../fake-service";

describe("the sign-in", () => {
  const service = eachWithService();

  /** A model, and what it told of who is in. */
  function made(): { model: SignInModel; said: boolean[] } {
    const said: boolean[] = [];
    return { model: new SignInModel(new Client(), (signedIn) => said.push(signedIn)), said };
  }

  it("trades the token for the cookie", async () => {
    service().answer("GET /?token=secret", "");
    const { model, said } = made();
    await model.signIn(" secret\n");
    expect([said, model.error.value, model.busy.value]).toEqual([[true], "", false]);
  });

  it("says that a token is wrong, and tries again", async () => {
    service().answer("GET /?token=wrong", new Refusal(401, "No."));
    service().answer("GET /?token=right", "");
    const { model, said } = made();
    await model.signIn("wrong");
    expect(model.error.value).toContain("does not know this token");
    await model.signIn("right");
    expect([said, model.error.value]).toEqual([[true], ""]);
  });

  it("says that nothing answers", async () => {
    service().isAway = true;
    const { model, said } = made();
    await model.signIn("secret");
    expect([said, model.error.value]).toEqual([[], "The service does not answer. Is it running?"]);
  });

  it("asks for a token before it asks the service", async () => {
    const { model } = made();
    await model.signIn("  ");
    expect([model.error.value, service().asked]).toEqual(["Paste the token first.", []]);
  });

  it("ends here even when the service does not answer", async () => {
    service().isAway = true;
    const { model, said } = made();
    await model.signOut();
    expect(said).toEqual([false]);
  });

  it("finds the token in a whole address", () => {
    expect(tokenOf("http://127.0.0.1:9886/?theme=dark&token=a-b_c#/events")).toBe("a-b_c");
    expect(tokenOf("a-b_c")).toBe("a-b_c");
  });
});
