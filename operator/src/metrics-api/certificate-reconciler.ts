import type { KubeApi } from '../kube/api.ts';
import { isConflict } from '../kube/errors.ts';
import { API_SERVICE, SECRET } from '../kube/resources.ts';
import type { KubeObject } from '../kube/types.ts';
import type { Applier } from '../runtime/applier.ts';
import type { Clock } from '../runtime/clock.ts';
import { issueCertificate } from '../runtime/issue-certificate.ts';
import type { Reconcile } from '../runtime/reconcile.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { BACKDATED_MS, type CertificateOptions, planCertificates } from './certificate-plan.ts';
import { certificatesIn, promoted, type Secret, secretIntent, splitPem, withIssued } from './certificate-secret.ts';
import { GROUP, VERSIONS } from './served-metrics.ts';

export const FIELD_MANAGER = 'modelservice-metrics-api';

export interface ApiService extends KubeObject {
  readonly spec: {
    readonly group?: string;
    readonly service?: { readonly namespace?: string; readonly name?: string };
    /** Base64 of PEM. */
    readonly caBundle?: string;
  };
}

export interface CertificateReconcilerOptions extends CertificateOptions {
  readonly api: KubeApi;
  readonly applier: Applier;
  readonly secrets: StoreReader<Secret>;
  readonly apiServices: StoreReader<ApiService>;
  /** Which Service is ours. */
  readonly service: { readonly namespace: string; readonly name: string };
  readonly clock: Clock;
}

/** Keeps the Secret of key `namespace/name` supplied with certificates, and our APIServices with their authorities. */
export function certificateReconciler(options: CertificateReconcilerOptions): Reconcile {
  const { api, applier, secrets, apiServices, service, clock } = options;
  return async (key, { signal, log }) => {
    const secret = secrets.get(key);
    if (secret === undefined) throw new Error(`Secret ${key} is not there: the chart makes it, run helm upgrade`);
    const set = certificatesIn(secret);
    const caBundle = Buffer.from(set.authorities.join('')).toString('base64');
    const ours = VERSIONS.map((version) => apiServices.get(`${version}.${GROUP}`)).filter(
      (found) => found !== undefined && isServedBy(found, service),
    );
    for (const live of ours) {
      if (live === undefined || set.authorities.length === 0) continue;
      const intent = {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: live.metadata.name },
        spec: { caBundle },
      };
      const { difference } = await applier.apply(API_SERVICE, intent, live, { fieldManager: FIELD_MANAGER }, signal);
      if (difference !== undefined) log.info({ apiService: live.metadata.name }, 'Published the authorities');
    }
    const published = ours.every((live) => live !== undefined && includesAll(live, set.authorities));
    const now = clock.now();
    const plan = planCertificates(set, published, now, options);
    if (plan.action === 'keep') return { requeueAfterMs: plan.forMs };
    const wanted =
      plan.action === 'promote'
        ? promoted(set, now)
        : withIssued(set, await issue(options), plan.action === 'issue-next' ? 'next' : 'current', now);
    try {
      await api.apply(SECRET, secretIntent(secret, wanted), { fieldManager: FIELD_MANAGER }, signal);
      log.info({ action: plan.action }, 'Wrote the certificates');
    } catch (error) {
      // The other replica was faster; what it wrote comes by the watch.
      if (!isConflict(error)) throw error;
    }
    return {};
  };
}

export function isServedBy(
  apiService: ApiService,
  service: { readonly namespace: string; readonly name: string },
): boolean {
  const { service: serving } = apiService.spec;
  return serving?.namespace === service.namespace && serving.name === service.name;
}

function includesAll(apiService: ApiService, authorities: readonly string[]): boolean {
  const known = new Set(splitPem(Buffer.from(apiService.spec.caBundle ?? '', 'base64').toString('utf8')));
  return authorities.every((pem) => known.has(pem));
}

function issue({ clock, dnsName, lifetimeMs }: CertificateReconcilerOptions) {
  const now = clock.now();
  const validity = { notBefore: now - BACKDATED_MS, notAfter: now + lifetimeMs };
  return issueCertificate({ commonName: dnsName, dnsNames: [dnsName], usage: 'serverAuth', ...validity });
}
