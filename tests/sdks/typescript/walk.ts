/** A walk through the generated TypeScript client: fetch alone, in Node and in browsers. */
import {
  AdaptersApi, Configuration, PacketsApi, ProblemFromJSON, ResponseError, SessionsApi, SessionState,
} from "./wintunapi/index.js";

const { API, TOKEN } = process.env;

// An ICMP echo request from 10.6.7.8 to the adapter's own address.
const packet = Buffer.from("4500001c00000000400158c70a0607080a0607070800f7fd00010001", "hex");

async function walk(): Promise<void> {
  const settings = new Configuration({ basePath: API, accessToken: TOKEN });
  const adapters = new AdaptersApi(settings);
  const sessions = new SessionsApi(settings);
  const packets = new PacketsApi(settings);

  const adapter = await adapters.createAdapter({
    adapterCreate: { name: "OfficeNet", addresses: ["10.6.7.7/24"] },
  });
  const { guid } = adapter;
  console.log(`created: ${adapter.name}, ${adapter.state}`);

  const { id: sessionId, state } = await sessions.startSession({ sessionCreate: { adapter: guid } });
  console.log(`started: ${state === SessionState.running}`);

  const report = await packets.injectPackets({ sessionId, body: new Blob([packet]) });
  console.log(`accepted: ${report.accepted}`);

  const ended = await sessions.endSession({ sessionId });
  console.log(`ended: ${ended.state}, ${ended.counters.injected.bytes} bytes injected`);

  const removal = await adapters.deleteAdapter({ guid });
  console.log(`deleted: reboot ${removal.rebootRequired}`);

  try {
    await adapters.getAdapter({ guid });
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const problem = ProblemFromJSON(await error.response.json());
    console.log(`refused: ${problem.status} ${problem.type}`);
  }
}

void walk();
