{{- define "portfolio.egressToDatabase" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- ports:
    - {port: {{ .Values.networkPolicy.databasePort }}, protocol: TCP}
  {{- with .Values.networkPolicy.databasePeers }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The port of the OTLP endpoint, by its scheme when it names none. */}}
{{- define "portfolio.otlpPort" -}}
{{- $url := urlParse .Values.telemetry.otlpEndpoint -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}
