import { GROUP, MODEL_SERVICES, PODS, SERVED_METRICS, VERSIONS } from './served-metrics.ts';

/**
 * The documents by which clients and the API server find out what is served, by path. The OpenAPI documents are empty:
 * these objects are made on request and nobody writes them, so there is nothing to check or explain.
 */
export const DOCUMENTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: [apiGroup()] }],
  [`/apis/${GROUP}`, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup() }],
  ...VERSIONS.map((version): [string, unknown] => [`/apis/${GROUP}/${version}`, resourceList(version)]),
  ['/openapi/v2', { swagger: '2.0', info: { title: GROUP, version: VERSIONS[0] }, paths: {} }],
  ['/openapi/v3', { paths: {} }],
]);

function apiGroup(): object {
  const versions = VERSIONS.map((version) => ({ groupVersion: `${GROUP}/${version}`, version }));
  return { name: GROUP, versions, preferredVersion: versions[0] };
}

function resourceList(version: string): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${GROUP}/${version}`,
    resources: [PODS, MODEL_SERVICES].flatMap((resource) =>
      SERVED_METRICS.map((metric) => ({
        name: `${resource}/${metric}`,
        singularName: '',
        namespaced: true,
        kind: 'MetricValueList',
        verbs: ['get'],
      })),
    ),
  };
}
