import Glibc
import WeirWire

/// Relaying while every byte is recorded as packets.
struct RecordMeasurement: Measurement {
    /// Payload that is relayed.
    private static let payload = 2 << 30
    /// What a packet costs in the file and on the wire, headers and options, at least.
    private static let headers = 54

    let name = "record"
    let title = "One TCP stream of 2 GiB, recorded as packets (pcapng)"
    let group = MeasurementGroup.record
    let metrics: [Metric] = [.throughput, .processorPerGigabyte]
    let compared = Peers.weir.name
    var subjects: [Subject] {
        [
            .direct, .relay(Peers.weir),
            Subject(name: "weir --record, one leg", peer: Peers.weir, watching: .record(legs: "client")),
            Subject(name: "weir --record, both legs", peer: Peers.weir, watching: .record(legs: "both")),
        ]
    }
    var method: String {
        """
        The clock stops when the server has got the last byte and the capture holds it on every leg; then the capture is \
        read, and must hold exactly the bytes that were sent. The file is in /dev/shm where there is one, else in TMPDIR.
        """
    }

    func sample(_ subject: Subject, in bench: Bench) async throws -> Sample {
        var load = bench.load(.stream)
        load.byteLimit = UInt64(Self.payload)
        load.seconds = 60
        guard case .record(let legs) = subject.watching else {
            return Sample(try await bench.measure(load, server: .sink, through: subject))
        }
        let path = RelayRequest.recordPath
        unlink(path)
        defer { unlink(path) }
        let count = legs == "both" ? 2 : 1
        let report = try await bench.measure(load, server: .sink, through: subject) { relay, report in
            try await relay.finish(report, whenFile: path, holds: count * Int(report.bytes))
        }
        let recorded = try Self.payloads(in: path)
        guard recorded.count == count, recorded.allSatisfy({ $0 == Int(report.bytes) }) else {
            throw BenchError.load("the capture holds \(recorded) bytes of (\(report.bytes) bytes) on each leg")
        }
        return Sample(report)
    }

    /// Counts the bytes that went to the server, on each leg of a capture that may still be written to.
    private static func payloads(in path: String) throws -> [Int] {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw BenchError.lastCall("open", on: path) }
        let file = Descriptor(number)
        var stream = CaptureStream(capacity: 1 << 20)
        var legs: [UInt32: Int] = [:]
        do {
            while stream.append(upTo: 1 << 20, using: { max(0, read(file.number, $0.baseAddress, $0.count)) }) > 0 {
                while let item = try stream.next() {
                    guard case .packet(let packet) = item, packet.originalLength > headers else { continue }
                    let isUpstream = stream.metadata(of: packet).options.flags?.contains(.inbound) == true
                    // The options of a SYN are no payload.
                    guard isUpstream, packet.originalLength > headers + 40 else { continue }
                    legs[packet.interface, default: 0] += packet.originalLength - headers
                }
            }
        } catch {
            throw BenchError.load("the capture cannot be read: \(error)")
        }
        return Array(legs.values)
    }
}
