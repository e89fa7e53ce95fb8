/** The worker of the page: see engine.ts. */

import { Engine } from "./engine";
import type { Port, Reply, Request } from "./messages";

new Engine(self as unknown as Port<Reply, Request>);
