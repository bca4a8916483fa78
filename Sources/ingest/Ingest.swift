import IngestStage
import JobMessages
import ServiceRuntime

@main
struct Ingest {
    static func main() async {
        let command = ServiceCommand(
            name: "ingest", abstract: "unpacks uploads and reads the cores in them",
            keys: [.spool, .maxUnpackedSize, .maxKernelDumpSize, .minStorageLeft],
            // A client waits for the verdict on its upload, and one large archive is not to keep all of them waiting.
            concurrency: 2)
        await command.runWorker(IngestJob.self) { configuration, _ in
            var limits = IngestLimits()
            if let mebibytes = try configuration.number(.maxUnpackedSize, in: 1...(1 << 30)) {
                limits.maxUnpackedBytes = Int64(mebibytes) << 20
            }
            limits.maxKernelDumpBytes =
                try configuration.number(.maxKernelDumpSize, in: 1...(1 << 30))
                .map { Int64($0) << 20 } ?? limits.maxUnpackedBytes
            if let mebibytes = try configuration.number(.minStorageLeft, in: 0...(1 << 30)) {
                limits.minFreeBytes = Int64(mebibytes) << 20
            }
            return ingestHandler(spool: try configuration.path(.spool), limits: limits)
        }
    }
}
