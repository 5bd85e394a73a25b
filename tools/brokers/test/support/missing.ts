import { type BrokerName, MissingTool } from '../../src/index.js';
import { KINDS } from '../../src/kinds.js';
import { jarsFolder, stateFolder } from '../../src/state.js';

/** Why this machine cannot start it; undefined when it can. */
export async function missing(name: BrokerName): Promise<string | undefined> {
  const place = { folder: stateFolder(), jars: jarsFolder(stateFolder()), ports: {} };
  return KINDS[name].requirements(place).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof MissingTool && process.env.ANYMQ_TEST_REQUIRE_BROKERS !== '1') return error.message;
      throw error;
    },
  );
}
