/** Every model of the page, made once and known to each other. */

import { CaptureModel } from "./capture";
import { PacketTableModel } from "./packet-table";
import { TrafficModel } from "./traffic";

/** Where the page came from; a `Location` is one. */
export interface Place {
  readonly protocol: string;
  readonly host: string;
}

export class Dashboard {
  readonly traffic = new TrafficModel();
  readonly capture: CaptureModel;
  readonly table: PacketTableModel;

  constructor(place: Place) {
    const url = `${place.protocol === "https:" ? "wss" : "ws"}://${place.host}`;
    this.capture = new CaptureModel(url, this.traffic);
    this.table = new PacketTableModel(this.capture, (frame) => requestAnimationFrame(frame));
  }
}
