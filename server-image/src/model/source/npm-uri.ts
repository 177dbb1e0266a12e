import { ModelFailure } from '../../failures.ts';
import { splitModelPath } from '../model-uri.ts';

export interface NpmUri {
  /** With its scope, for example `@vladmandic/human`. */
  readonly name: string;
  readonly version: string;
  /** Folder of the model in the package, without slashes at its ends; empty for the package's own. */
  readonly directory: string;
  /** The model JSON's name in that folder. */
  readonly file: string;
}

/** Names as npm takes them: https://docs.npmjs.com/cli/configuring-npm/package-json#name. */
const URI = /^npm:((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)@([^/]+)(?:\/(.*))?$/;
/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string, less its groups. */
const EXACT =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** @throws ModelFailure `InvalidConfig` */
export function parseNpmUri(text: string): NpmUri {
  const [, name, version, path = ''] = URI.exec(text) ?? [];
  if (name === undefined || version === undefined) {
    throw wrong(text, 'is no package: write npm:package@1.2.3/path or npm:@scope/package@1.2.3/path');
  }
  if (!EXACT.test(version)) {
    throw wrong(
      text,
      `has the version "${version}", which is not exact: write one like 1.2.3, so that all pods load the same`,
    );
  }
  const { directory, file } = splitModelPath(path);
  const segments = directory.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..' || segment.includes('\\'))) {
    throw wrong(text, 'leads out of the package: write the path below its top folder');
  }
  return { name, version, directory: segments.join('/'), file };
}

function wrong(text: string, what: string): ModelFailure {
  return new ModelFailure('InvalidConfig', `uri ${JSON.stringify(text)} ${what}`);
}
