{{- define "llmsim.name" -}}
{{- if contains "llmsim" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-llmsim" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "llmsim.selector" -}}
app.kubernetes.io/name: llmsim
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "llmsim.labels" -}}
{{ include "llmsim.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: simulator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "llmsim.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "llmsim.scheme" -}}
{{ if .Values.tls.secret }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}

{{/* The configuration: what the chart decides, under what the values say. */}}
{{- define "llmsim.config" -}}
{{- $name := include "llmsim.name" . }}
{{- $hosts := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.*.svc" $name) (printf "%s.*.svc.cluster.local" $name) (printf "*.%s-headless.%s.svc.cluster.local" $name .Release.Namespace) }}
{{- range $key := list "host" "port" "workers" "drain_timeout_ms" "tls" }}
{{- if hasKey ($.Values.config.server | default dict) $key }}
{{- fail (printf "config.server.%s is the chart's own: values.yaml has workers, drainSeconds and tls" $key) }}
{{- end }}
{{- end }}
{{- $server := dict "host" "0.0.0.0" "port" 8080 "workers" (int .Values.workers) "drain_timeout_ms" (mul 1000 (int .Values.drainSeconds)) "allowed_hosts" $hosts }}
{{- if .Values.tls.secret }}
{{- $_ := set $server "tls" (dict "cert" "/etc/llmsim-tls/tls.crt" "key" "/etc/llmsim-tls/tls.key") }}
{{- end }}
{{- toYaml (mergeOverwrite (dict "server" $server) (deepCopy .Values.config)) }}
{{- end }}

{{- define "llmsim.resources" -}}
{{- if .Values.resources }}
{{- toYaml .Values.resources }}
{{- else -}}
requests:
  cpu: {{ .Values.workers | quote }}
  memory: {{ mul 256 (int .Values.workers) }}Mi
limits:
  memory: {{ mul 512 (int .Values.workers) }}Mi
{{- end }}
{{- end }}
