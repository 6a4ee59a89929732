{{- define "portfolio.serverEnvironment" -}}
- name: BIND_ADDRESS
  value: 0.0.0.0
- name: GRPC_PORT
  value: {{ .Values.ports.grpc | quote }}
- name: HTTP_PORT
  value: {{ .Values.ports.http | default "off" | quote }}
- name: HEALTH_PORT
  value: {{ .Values.ports.health | quote }}
- name: METRICS_PORT
  value: {{ .Values.ports.metrics | quote }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "portfolio.databaseSecret" . }}
      key: {{ .Values.database.urlKey }}
{{- with .Values.database.poolMax }}
- name: DATABASE_POOL_MAX
  value: {{ . | quote }}
{{- end }}
{{- with .Values.redis.existingSecret }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.redis.urlKey }}
{{- end }}
- name: READ_STALENESS_MS
  value: {{ int64 .Values.readStalenessMs | quote }}
{{- if and (has "grpc" .Values.marketData.providers) (not .Values.marketData.grpcTarget) }}
{{- fail "marketData.grpcTarget must be set where marketData.providers names grpc" }}
{{- end }}
{{- with .Values.marketData.providers }}
- name: MARKET_DATA_PROVIDERS
  value: {{ prepend . "store" | join "," }}
{{- end }}
{{- with .Values.marketData.grpcTarget }}
- name: MARKET_DATA_GRPC_TARGET
  value: {{ . | quote }}
{{- end }}
{{- with .Values.marketData.ecbSource }}
- name: MARKET_DATA_ECB_SOURCE
  value: {{ . | quote }}
{{- end }}
- name: MARKET_DATA_BUDGET_MS
  value: {{ int64 .Values.marketData.budgetMs | quote }}
- name: MARKET_DATA_REFRESH_MS
  value: {{ int64 .Values.marketData.refreshMs | quote }}
- name: HISTORY_REFRESH_MS
  value: {{ .Values.historyRefreshMs | int64 | default "off" | quote }}
- name: QUARANTINE_RETENTION_DAYS
  value: {{ int64 .Values.marketData.quarantineRetentionDays | quote }}
- name: MIGRATE_ON_START
  value: {{ eq .Values.migration.mode "start" | quote }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: REFLECTION
  value: {{ ternary "on" "off" .Values.reflection | quote }}
{{- with .Values.stateCacheUsersMax }}
- name: STATE_CACHE_USERS_MAX
  value: {{ int64 . | quote }}
{{- end }}
- name: DRAIN_TIMEOUT_MS
  value: {{ int64 .Values.drainTimeoutMs | quote }}
{{- with .Values.telemetry.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with include "portfolio.heapMebibytes" . }}
- name: NODE_OPTIONS
  value: --max-old-space-size={{ . }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "portfolio.migrationEnvironment" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.migration.existingSecret | default (include "portfolio.databaseSecret" .) }}
      key: {{ .Values.migration.urlKey | default .Values.database.urlKey }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
