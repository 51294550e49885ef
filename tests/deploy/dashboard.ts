// Is the dashboard what Grafana takes? Its package of types is the published schema; a fault is an
// error of the compiler. BOARD stands for the dashboard's JSON.
import type { Dashboard } from "@grafana/schema";
import type {
  FieldConfig,
  Options,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON has the values of enumerations, not their names.
type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends (infer U)[]
      ? Plain<U>[]
      : T extends object
        ? { [K in keyof T]: Plain<T[K]> }
        : T;

export const board: Plain<Dashboard> = BOARD;
export const lines: { options: Plain<Options>; custom: Plain<FieldConfig> }[] = LINES;
