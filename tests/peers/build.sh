#!/bin/sh
# build.sh FOLDER: builds what `make test-peers` runs, from Go modules, into FOLDER/bin. The versions of Prometheus,
# Alertmanager and the Collector are those of compose.yaml.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/bin" "$1/schemas"
folder=$(cd "$1" && pwd)
export GOBIN="$folder/bin"

# Builds programs of a module in a copy of it: `go install` refuses a module that replaces others.
build() {
  module=$1 version=$2
  shift 2
  source=$(go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  rm -rf "$folder/source"
  cp -r "$source" "$folder/source"
  chmod -R u+w "$folder/source"
  for page in ui/app ui/mantine-ui; do # Alertmanager embeds its pages, which its module has not
    if [ -d "$folder/source/$page" ]; then mkdir -p "$folder/source/$page/dist" && touch "$folder/source/$page/dist/index.html"; fi
  done
  (cd "$folder/source" && GOWORK=off go build -o "$GOBIN" "$@")
  rm -rf "$folder/source"
}

build github.com/prometheus/prometheus v0.313.2 ./cmd/prometheus ./cmd/promtool
build github.com/prometheus/alertmanager v0.34.0 ./cmd/alertmanager ./cmd/amtool
go install helm.sh/helm/v4/cmd/helm@v4.3.2
go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
(cd "$folder" && go run go.opentelemetry.io/collector/cmd/builder@v0.160.0 --config "$here/otelcol.yaml" && mv otelcol/otelcol bin/)
(cd "$here/manifests" && go build -o "$GOBIN" .)
(cd "$here/sender" && go build -o "$GOBIN" .)
"$GOBIN/manifests" schemas "$folder/schemas"
