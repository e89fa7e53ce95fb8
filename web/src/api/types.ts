/** The API's own names for what it takes and gives. */

import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type ActiveRule = Schemas["ActiveRule"];
export type Adapter = Schemas["Adapter"];
export type AdapterCreate = Schemas["AdapterCreate"];
export type AdapterUpdate = Schemas["AdapterUpdate"];
export type Capture = Schemas["Capture"];
export type CaptureCreate = Schemas["CaptureCreate"];
export type CaptureDirection = Schemas["CaptureDirection"];
export type CaptureFile = Schemas["CaptureFile"];
export type ConnectedClient = Schemas["ConnectedClient"];
export type CreatedToken = Schemas["CreatedToken"];
export type Driver = Schemas["Driver"];
export type EventType = Schemas["EventType"];
export type FilterVerdict = Schemas["FilterVerdict"];
export type Impairment = Schemas["Impairment"];
export type ImpairmentCounters = Schemas["ImpairmentCounters"];
export type ImpairmentSet = Schemas["ImpairmentSet"];
export type InjectionReport = Schemas["InjectionReport"];
export type Network = Schemas["Network"];
export type NetworkHost = Schemas["NetworkHost"];
export type Preset = Schemas["Preset"];
export type Progress = Schemas["Progress"];
/** Members that say nothing are not there. */
export type Problem = { type: string } & Pick<Schemas["Problem"], "title" | "status" | "detail"> &
  Partial<Omit<Schemas["Problem"], "type">>;
export type Recorder = Schemas["Recorder"];
export type RecorderSet = Schemas["RecorderSet"];
export type Release = Schemas["Release"];
export type Removal = Schemas["Removal"];
export type Route = Schemas["Route"];
export type Scope = Schemas["Scope"];
export type Session = Schemas["Session"];
export type SessionImpairment = Schemas["SessionImpairment"];
export type StopReason = Schemas["StopReason"];
export type System = Schemas["System"];
export type Token = Schemas["Token"];
export type TokenCreate = Schemas["TokenCreate"];
export type Trigger = Schemas["Trigger"];
