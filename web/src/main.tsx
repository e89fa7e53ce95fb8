/** Build the models, mount the view, nothing else. */

import { render } from "preact";
import { Dashboard } from "./models/dashboard";
import { App } from "./views/App";
import { DashboardContext } from "./views/context";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";

const dashboard = new Dashboard(window.location);
const root = document.getElementById("app");
if (root !== null) {
  render(
    <DashboardContext.Provider value={dashboard}>
      <App />
    </DashboardContext.Provider>,
    root,
  );
}
