{{/* The chart's name, as a label. */}}
{{- define "modelservice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
The name of all objects: the release's and the chart's, where neither says the other already. The releases
"modelservice" and "modelservice-operator" both make "modelservice-operator".
*/}}
{{- define "modelservice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "modelservice.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else if hasPrefix (printf "%s-" .Release.Name) $name -}}
{{- $name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "modelservice.selectorLabels" -}}
app.kubernetes.io/name: {{ include "modelservice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "modelservice.labels" -}}
{{ include "modelservice.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "modelservice.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "modelservice.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* An image's full name: dict "image" NAME "root" $. */}}
{{- define "modelservice.image" -}}
{{- $name := tpl .image .root -}}
{{- with .root.Values.imageRegistry -}}
{{- printf "%s/%s" (trimSuffix "/" .) $name -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/*
The name of the role that carries the operator's rights, the same in every release: of one kind there is but one in a
namespace, so Helm refuses a second operator for it, whoever installs it.
*/}}
{{- define "modelservice.roleName" -}}
modelservice-operator
{{- end -}}

{{/* NAMESPACE/NAME of the release that made this binding of an operator's; nothing where it is no such binding. */}}
{{- define "modelservice.releaseOf" -}}
{{- $release := dig "metadata" "labels" "app.kubernetes.io/instance" "" . -}}
{{- $subject := first (default (list dict) .subjects) -}}
{{- if and $release $subject.namespace -}}
{{- printf "%s/%s" $subject.namespace $release -}}
{{- end -}}
{{- end -}}

{{/* "true" where the operator reads which APIs are served, and by whom. */}}
{{- define "modelservice.readsApis" -}}
{{- if not (has .Values.metrics.provider (list "shared" "none")) }}true{{ end -}}
{{- end -}}

{{/*
All that the operator may do, in a ClusterRole or in one Role for each watched namespace. Sorted by group and resource.
No Secrets and no pods' exec or logs. Server-side apply needs both create and patch.
*/}}
{{- define "modelservice.rules" -}}
# Where OwnerReferencesPermissionEnforcement is on, giving an object back its owner asks for the right to delete it.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [autoscaling]
  # Deleted when a ModelService no longer asks for one; the other children go with their owner.
  resources: [horizontalpodautoscalers]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [discovery.k8s.io]
  # Through which a Service leads to the gateway while its ModelService is at zero.
  resources: [endpointslices]
  verbs: [create, delete, list, patch, watch]
- apiGroups: [events.k8s.io]
  # What has changed, for the owner of a ModelService.
  resources: [events]
  verbs: [create, patch]
{{- if eq .Values.metrics.provider "keda" }}
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [create, delete, list, patch, watch]
{{- else if and (include "modelservice.readsApis" .) (.Capabilities.APIVersions.Has "keda.sh/v1alpha1") }}
- apiGroups: [keda.sh]
  # To delete those from a time at which this operator had KEDA scale, and to see those that somebody else made.
  resources: [scaledobjects]
  verbs: [delete, list, watch]
{{- end }}
- apiGroups: [modelservice.dev]
  resources: [modelservices]
  verbs: [list, watch]
- apiGroups: [modelservice.dev]
  resources: [modelservices/status]
  verbs: [patch]
- apiGroups: [policy]
  # Deleted when two pods are no longer certain.
  resources: [poddisruptionbudgets]
  verbs: [create, delete, list, patch, watch]
{{- end -}}

{{/* The operator's settings: each is a value here, a flag there; a test compares the two. */}}
{{- define "modelservice.args" -}}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- range $engine, $flag := dict "wasm" "wasm" "tensorflow" "tensorflow" "tensorflowGPU" "tensorflow-gpu" }}
{{- with index $.Values.server.images $engine }}
- --server-image-{{ $flag }}={{ include "modelservice.image" (dict "image" . "root" $) }}
{{- end }}
{{- end }}
{{- if .Values.gateway.replicas }}
- --gateway-namespace={{ .Release.Namespace }}
- --gateway-name={{ include "modelservice.gateway.fullname" . }}
- --gateway-selector={{ include "modelservice.gateway.selectorLabels" . | replace ": " "=" | replace "\n" "," }}
- --gateway-replicas={{ .Values.gateway.replicas }}
{{- end }}
- --leader-elect-resource-namespace={{ .Release.Namespace }}
- --leader-elect-resource-name={{ include "modelservice.fullname" . }}
- --leader-elect-lease-duration={{ .Values.leaderElection.leaseDuration }}
- --leader-elect-renew-deadline={{ .Values.leaderElection.renewDeadline }}
- --leader-elect-retry-period={{ .Values.leaderElection.retryPeriod }}
- --log-level={{ .Values.logLevel }}
- --workers={{ .Values.workers }}
- --metrics-provider={{ .Values.metrics.provider }}
{{- if eq .Values.metrics.provider "builtin" }}
- --metrics-api-service={{ .Release.Namespace }}/{{ include "modelservice.metricsApi.fullname" . }}
{{- end }}
{{- if eq .Values.metrics.provider "keda" }}
- --prometheus-url={{ required "metrics.provider=keda needs metrics.prometheusUrl: the Prometheus server that scrapes the models' pods, which KEDA asks" .Values.metrics.prometheusUrl }}
- --prometheus-max-age={{ .Values.metrics.prometheusMaxAge }}
{{- end }}
{{- end -}}

{{/* The name of the metrics API's objects; room is left for the suffix. */}}
{{- define "modelservice.metricsApi.fullname" -}}
{{- printf "%s-metrics-api" (include "modelservice.fullname" . | trunc 51 | trimSuffix "-") -}}
{{- end -}}

{{/* Whose autoscalers the metrics API serves, as JSON; empty: all namespaces. */}}
{{- define "modelservice.metricsApi.namespaces" -}}
{{- $further := ternary .Values.metrics.api.furtherNamespaces list (gt (len .Values.watchNamespaces) 0) -}}
{{- concat .Values.watchNamespaces $further | uniq | toJson -}}
{{- end -}}

{{/* Apart from the operator's, whose Deployment and Service must not select these pods. */}}
{{- define "modelservice.metricsApi.selectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-metrics-api" (include "modelservice.name" . | trunc 51 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "modelservice.metricsApi.labels" -}}
{{ merge (include "modelservice.metricsApi.selectorLabels" . | fromYaml) (include "modelservice.labels" . | fromYaml) | toYaml }}
{{- end -}}

{{/* Binds the metrics API's account: dict "kind" "name" "namespace"? "roleKind" "role" "root" $. */}}
{{- define "modelservice.metricsApi.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "modelservice.metricsApi.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .roleKind }}
  name: {{ .role }}
subjects:
  - kind: ServiceAccount
    name: {{ include "modelservice.metricsApi.fullname" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{/* The name of the gateway's objects; room is left for the suffix. */}}
{{- define "modelservice.gateway.fullname" -}}
{{- printf "%s-gateway" (include "modelservice.fullname" . | trunc 55 | trimSuffix "-") -}}
{{- end -}}

{{/* Apart from the operator's, whose Deployment and Service must not select these pods. */}}
{{- define "modelservice.gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ printf "%s-gateway" (include "modelservice.name" . | trunc 55 | trimSuffix "-") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "modelservice.gateway.labels" -}}
{{ merge (include "modelservice.gateway.selectorLabels" . | fromYaml) (include "modelservice.labels" . | fromYaml) | toYaml }}
{{- end -}}

{{/* All that the gateway may do, in a ClusterRole or in one Role for each watched namespace. */}}
{{- define "modelservice.gateway.rules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [modelservice.dev]
  resources: [modelservices]
  verbs: [list, watch]
# Only the time at which it asked for a service to be woken.
- apiGroups: [modelservice.dev]
  resources: [modelservices/status]
  verbs: [patch]
{{- end -}}

{{/*
"true" where objects of prometheus-operator's are to be made, else nothing: dict "enabled" true|false|auto "kind" KIND
"root" $. auto: where the cluster serves that kind.
*/}}
{{- define "modelservice.monitoring" -}}
{{- if eq (toString .enabled) "auto" -}}
{{- if .root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind) }}true{{ end -}}
{{- else if .enabled -}}
true
{{- end -}}
{{- end -}}

{{/* "true" where Prometheus scrapes the operator by a ServiceMonitor, else nothing. */}}
{{- define "modelservice.serviceMonitored" -}}
{{- $wanted := include "modelservice.monitoring" (dict "enabled" .Values.metrics.serviceMonitor.enabled "kind" "ServiceMonitor" "root" .) -}}
{{- if .Values.metrics.service -}}
{{- $wanted -}}
{{- else if eq (toString .Values.metrics.serviceMonitor.enabled) "true" -}}
{{- fail "metrics.serviceMonitor.enabled needs the Service that it selects: set metrics.service to true as well" -}}
{{- end -}}
{{- end -}}

{{/* Scrapes what a Service of ours selects: dict "name" "labels" "selector" "root" $. */}}
{{- define "modelservice.serviceMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- with .root.Values.metrics.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- .labels | nindent 4 }}
spec:
  selector:
    matchLabels:
      {{- .selector | nindent 6 }}
  endpoints:
    - port: metrics
      # The namespace in a series is its ModelService's, where it has one.
      honorLabels: true
      {{- with .root.Values.metrics.serviceMonitor.interval }}
      interval: {{ . }}
      {{- end }}
{{- end -}}
