// Sender is an application under OpenTelemetry's Go SDK: it sends traces of LLM calls over gRPC, each until it is taken.
//
//	sender HOST:PORT APP COUNT   sends COUNT traces of two spans, which leave in separate requests
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sender HOST:PORT APP COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[3])
	if err == nil {
		err = send(context.Background(), os.Args[1], os.Args[2], count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(ctx context.Context, endpoint, app string, count int) error {
	exporter, err := otlptracegrpc.New(ctx,
		otlptracegrpc.WithEndpoint(endpoint),
		otlptracegrpc.WithInsecure(),
		otlptracegrpc.WithCompressor("gzip"),
		otlptracegrpc.WithTimeout(5*time.Minute),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
			Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: 5 * time.Minute,
		}),
	)
	if err != nil {
		return err
	}
	// Every span is exported when it ends, and the application waits for it.
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSyncer(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", app))),
	)
	tracer := provider.Tracer("sender")
	for number := range count {
		ask(ctx, tracer, number)
	}
	return provider.Shutdown(ctx)
}

func ask(ctx context.Context, tracer trace.Tracer, number int) {
	ctx, root := tracer.Start(ctx, "POST /ask", trace.WithAttributes(attribute.String("http.route", "/ask")))
	_, call := tracer.Start(ctx, "chat m-1", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("gen_ai.operation.name", "chat"),
		attribute.String("gen_ai.provider.name", "example"),
		attribute.String("gen_ai.request.model", "m-1"),
		attribute.String("gen_ai.response.model", "m-1"),
		attribute.String("gen_ai.input.messages", message("user", fmt.Sprintf("What does item %d cost?", number))),
		attribute.String("gen_ai.output.messages", message("assistant", fmt.Sprintf("Item %d costs 9 euros.", number))),
	))
	call.End()
	root.End()
}

func message(role, content string) string {
	return fmt.Sprintf(`[{"role":%q,"parts":[{"type":"text","content":%q}],"finish_reason":"stop"}]`, role, content)
}
