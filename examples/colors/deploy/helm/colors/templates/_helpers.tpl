{{/* All names are the release's, so that releases live side by side in one namespace. */}}
{{- define "colors.name" -}}
{{ .Release.Name }}
{{- end }}

{{- define "colors.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "colors.labels" -}}
{{ include "colors.selector" . }}
app.kubernetes.io/version: {{ include "colors.version" . | trunc 63 | trimAll "+-._" | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "colors.version" -}}
{{ .Values.version | default (trimPrefix "#" .Values.colour) }}
{{- end }}

{{- define "colors.image" -}}
{{ .Values.image.repository }}{{ with .Values.image.tag }}:{{ . }}{{ end }}
{{- end }}

{{/* True where pods are processes of the machine itself: they get $HOST and $PORT told. */}}
{{- define "colors.onHost" -}}
{{ if eq .Values.image.repository "host" }}true{{ end }}
{{- end }}

{{/*
The source reaches the process by environment, not as files: that works the same in a container
and in a plain process, and needs no writable or mounted path.
*/}}
{{- define "colors.runSource" -}}
import os; exec(compile(os.environ.pop("APP"), "app.py", "exec"))
{{- end }}
