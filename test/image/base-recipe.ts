import { createHash } from 'node:crypto';

/** What a base image is made of, all of it from this machine and from where its packages come. */
export interface BaseRecipe {
  /** Release of the distribution, such as `bookworm`. */
  readonly suite: string;
  /** Where its packages lie. */
  readonly mirror: string;
  /** As Node names it, such as `x64`. */
  readonly arch: string;
  readonly nodeVersion: string;
  readonly npmVersion: string;
  /** Text of npm's configuration in the image. */
  readonly npmrc: string;
  /** PEM of the authorities that this machine trusts: a company's own is among them where it inspects its traffic. */
  readonly authorities: string;
}

/** Where the authorities lie, on this machine and in the image. */
export const AUTHORITIES_FILE = '/etc/ssl/certs/ca-certificates.crt';

/** The command that {@link archiveOf} reads the output of: where apt takes the lists of packages from. */
export const LIST_ARCHIVES: readonly string[] = [
  'indextargets',
  '--format',
  '$(CODENAME) $(COMPONENT) $(REPO_URI)',
  'Created-By: Packages',
];

/**
 * Where a release's own packages come from, beside which there are updates and strangers' packages.
 *
 * @param listing lines of {@link LIST_ARCHIVES}
 * @param suite as /etc/os-release names it in VERSION_CODENAME
 */
export function archiveOf(listing: string, suite: string): string | undefined {
  const rows = listing.split('\n').map((line) => line.split(' '));
  return rows.find(([codename, component]) => codename === suite && component === 'main')?.[2];
}

/** `VERSION_CODENAME` of the text of /etc/os-release. */
export function codenameOf(osRelease: string): string | undefined {
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(osRelease)?.[1];
}

/** The image's name, which differs for whatever goes into it. */
export function baseImageName(recipe: BaseRecipe): string {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
  return `modelservice-base:node${recipe.nodeVersion.replace(/^v(\d+)\..*$/, '$1')}-${digest.slice(0, 12)}`;
}

/** npm's configuration in the image: packages come from where this machine gets them. */
export function npmrcOf(registry: string): string {
  return `registry=${registry}\ncafile=${AUTHORITIES_FILE}\n`;
}
