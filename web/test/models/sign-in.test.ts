import { describe, expect, it } from "vitest";
import { SignInModel, tokenOf } from "../../src/models/sign-in";
import { type Asked, eachWithService, newClient, Refusal } from "../fake-service";

describe("the sign-in", () => {
  const service = eachWithService();

  /** A model, and what it did. */
  function made() {
    const done: string[] = [];
    const client = newClient();
    const model = new SignInModel(
      client,
      () => done.push(`enter with ${client.key}`),
      () => done.push("signed out"),
    );
    return { model, client, done };
  }

  /** Know one token, sent as a program sends it. */
  function know(token: string): void {
    service().answer("POST /sign-in", ({ headers }: Asked) =>
      headers.get("authorization") === `Bearer ${token}` ? { key: "new" } : new Refusal(401, "No."),
    );
  }

  it("enters with a token that the service knows", async () => {
    know("secret");
    const { model, done } = made();
    await model.signIn(" secret\n");
    expect([done, model.error.value, model.busy.value]).toEqual([["enter with new"], "", false]);
  });

  it("says that a token is wrong, and tries again", async () => {
    know("right");
    const { model, done } = made();
    await model.signIn("wrong");
    expect(model.error.value).toContain("does not know this token");
    await model.signIn("right");
    expect([done, model.error.value]).toEqual([["enter with new"], ""]);
  });

  it("takes what no header can hold for a wrong token", async () => {
    const { model, done } = made();
    for (const token of ["жетон", "two words", "a\u0000b"]) {
      await model.signIn(token);
      expect([done, model.error.value]).toEqual([[], expect.stringContaining("does not know")]);
    }
  });

  it("says what the service says when it may not be asked so often", async () => {
    const hint = "Try again in 30 s.";
    service().answer("POST /sign-in", new Refusal(429, "Too many wrong tokens.", { hint }));
    const { model, done } = made();
    await model.signIn("secret");
    expect([done, model.error.value]).toEqual([[], `Too many wrong tokens. ${hint}`]);
  });

  it("says that nothing answers", async () => {
    service().isAway = true;
    const { model, done } = made();
    await model.signIn("secret");
    expect([done, model.error.value]).toEqual([[], "The service does not answer. Is it running?"]);
  });

  it("asks for a token before it asks the service", async () => {
    const { model } = made();
    await model.signIn("  ");
    expect([model.error.value, service().asked]).toEqual(["Enter a token.", []]);
  });

  it("ends here even when the service does not answer", async () => {
    service().isAway = true;
    const { model, client, done } = made();
    await model.signOut();
    expect([done, client.key]).toEqual([["signed out"], null]);
  });

  it("ends at the service with the key, which is forgotten at once", async () => {
    service().answer("POST /v1/sign-out", {});
    const { model, client } = made();
    const ended = model.signOut();
    expect(client.key).toBeNull();
    await ended;
    const [asked] = service().calls("POST /v1/sign-out");
    expect(asked?.headers.get("x-wintun-api-key")).toBe("the-key");
  });

  it("finds the token in a whole address", () => {
    expect(tokenOf("http://127.0.0.1:9886/?theme=dark&token=a-b_c#/events")).toBe("a-b_c");
    expect(tokenOf("http://127.0.0.1:9886/?token=a%2Bb")).toBe("a+b");
    expect(tokenOf("a-b_c")).toBe("a-b_c");
  });
});
