import WeirWire

/// Relaying while every byte is shown as hex.
struct ShowHexMeasurement: Measurement {
    /// Payload for Weir; its dump is five times as long.
    private static let weirBytes = 256 << 20
    /// Payload for socat, which takes about a second for each MB.
    private static let socatBytes = 2 << 20

    let name = "show-hex"
    let title = "Relaying one stream with every byte shown as hex, into a file"
    let metrics: [Metric] = [
        Metric(key: Metric.throughput.key, heading: "Gbit/s", scale: 8e-9, digits: 4), .processorPerGigabyte,
    ]
    let compared = "weir --show hex"
    var subjects: [Subject] {
        [
            Subject(name: compared, peer: Peers.weir, watching: .dump),
            Subject(name: "socat -x", peer: Peers.socat, watching: .dump),
        ]
    }
    var method: String {
        """
        Payload that is relayed and shown: the clock stops when the file holds the whole dump. At most 256 MiB of \
        payload for Weir and 2 MiB for socat, which is slow. The file is in TMPDIR (/tmp).
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        let isWeir = subject.peer is WeirPeer
        var load = bench.load(.stream)
        load.byteLimit = UInt64(isWeir ? Self.weirBytes : Self.socatBytes)
        load.seconds = 30
        let report = try await bench.measure(load, server: .sink, through: subject) { relay, report in
            let size = isWeir ? HexDump.size(of: Int(report.bytes)) : 3 * Int(report.bytes)
            let dump = isWeir ? relay.request.outputPath : relay.request.errorPath
            return try await relay.finish(report, whenFile: dump, holds: size)
        }
        return Sample(report)
    }
}
