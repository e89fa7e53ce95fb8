/** The ring, which the page and its worker both keep. */

export * from "../worker/ring";
