{{/* The name of everything in a release. */}}
{{- define "llmq.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods; it can never change. */}}
{{- define "llmq.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "llmq.labels" -}}
{{ include "llmq.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "llmq.tokensSecret" -}}
{{- default (printf "%s-tokens" (include "llmq.fullname" .)) .Values.tokensSecret -}}
{{- end -}}

{{/* The ports of the config; that of gRPC is empty where it is off. */}}
{{- define "llmq.httpPort" -}}
{{- regexFind "[0-9]+$" .Values.config.server.listen -}}
{{- end -}}

{{- define "llmq.grpcPort" -}}
{{- regexFind "[0-9]+$" .Values.config.server.grpc -}}
{{- end -}}

{{/* llmq's config, with the store that the replicas share. It names no replica: llmq takes the host's name, which is the pod's. */}}
{{- define "llmq.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- with .Values.store.postgresql -}}
{{- if .url -}}
{{- $store := dict "url" .url "schema" .schema "files" "/var/lib/llmq" -}}
{{- if .passwordSecret -}}
{{- $_ := set $store "password" (dict "file" "/etc/llmq/store/password") -}}
{{- end -}}
{{- $config = mergeOverwrite $config (dict "store" $store) -}}
{{- end -}}
{{- end -}}
{{- $url := dig "store" "url" "" $config -}}
{{- if and (gt (int .Values.replicas) 1) (not (regexMatch "^postgres(ql)?://" $url)) -}}
{{- fail (printf "replicas: %d replicas need a store that they share: set store.postgresql.url (config.store.url is %q)" (int .Values.replicas) $url) -}}
{{- end -}}
{{- if dig "store" "replica" "" $config -}}
{{- fail "config.store.replica: a replica has the name of its pod: remove this setting" -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* The Secret with the database's password; empty where there is none. */}}
{{- define "llmq.passwordSecret" -}}
{{- if .Values.store.postgresql.url }}{{ .Values.store.postgresql.passwordSecret }}{{ end -}}
{{- end -}}

{{/* The ports of the hosts that store.postgresql.url names, as a JSON list. */}}
{{- define "llmq.databasePorts" -}}
{{- $ports := list -}}
{{- range regexFind "//[^/?]*" . | trimPrefix "//" | splitList "@" | last | splitList "," -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "5432" | int) -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}
