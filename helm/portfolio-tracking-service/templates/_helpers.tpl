{{- define "portfolio.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Takes a dict of `root` and `component`: a selector without the component would catch the Job's pods too. */}}
{{- define "portfolio.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "portfolio.labels" -}}
{{ include "portfolio.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "portfolio.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "portfolio.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "portfolio.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "portfolio.databaseSecret" -}}
{{- required "database.existingSecret is required: the name of a Secret in this namespace whose key database.urlKey holds the PostgreSQL URL" .Values.database.existingSecret -}}
{{- end -}}

{{/* Three quarters of the memory limit, in MiB: the rest is for buffers, stacks and native code. */}}
{{- define "portfolio.heapMebibytes" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString -}}
{{- if hasSuffix "Gi" $limit -}}
{{- mulf (trimSuffix "Gi" $limit | float64) 768 | floor -}}
{{- else if hasSuffix "Mi" $limit -}}
{{- mulf (trimSuffix "Mi" $limit | float64) 0.75 | floor -}}
{{- end -}}
{{- end -}}

{{- define "portfolio.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "portfolio.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What all three kinds of pods share. */}}
{{- define "portfolio.podCommon" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "portfolio.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "portfolio.containerCommon" -}}
image: {{ include "portfolio.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- include "portfolio.containerSecurityContext" . | nindent 2 }}
{{- end -}}

{{- define "portfolio.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portfolio.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Refuses values that are well-formed one by one and wrong together. */}}
{{- define "portfolio.check" -}}
{{- $need := add .Values.preStopSleepSeconds (div (add .Values.drainTimeoutMs 999) 1000) 5 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $need) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d and must be at least %d: preStopSleepSeconds, drainTimeoutMs and 5 s to close" (int .Values.terminationGracePeriodSeconds) $need) -}}
{{- end -}}
{{- $ports := list (int .Values.ports.grpc) (int .Values.ports.http) (int .Values.ports.health) (int .Values.ports.metrics) -}}
{{- if ne (len ($ports | uniq)) 4 -}}
{{- fail "ports.grpc, ports.http, ports.health and ports.metrics must differ" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas must not exceed autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and (eq (toString .Values.rollingUpdate.maxSurge | trimSuffix "%") "0") (eq (toString .Values.rollingUpdate.maxUnavailable | trimSuffix "%") "0") -}}
{{- fail "rollingUpdate.maxSurge and rollingUpdate.maxUnavailable must not both be 0: no pod could ever be replaced" -}}
{{- end -}}
{{- end -}}
