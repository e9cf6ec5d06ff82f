import WeirEngine
import WeirWire

// What was on the wire
extension CapturedFlow {
    /// Writes the first packet of the first dial: the flow itself began before.
    mutating func dial(_ record: FlowRecord, _ frames: inout FrameWriter, _ output: inout ByteBuffer) {
        guard takeServerLeg(of: record) else { return }
        on(.server) { $0.synchronize(at: record.moment.wallNanoseconds, &frames, &output) }
    }

    /// Writes what a socket has sent or received.
    mutating func write(
        _ wire: WireRecord,
        _ bytes: RawSpan,
        at time: Int64,
        _ frames: inout FrameWriter,
        _ output: inout ByteBuffer
    ) {
        switch wire {
        case .opened, .closed: break
        case .bytes(let description):
            let first = frames.cut(bytes, largestPayload(inPackets: frames.settings.largestPacket))
            on(description.leg) { leg in
                let gap = description.offset &- leg[description.direction].bytesOnWire
                leg.write(bytes, description.direction, first, skipping: gap, at: time, &frames, &output)
                leg[description.direction].bytesOnWire = description.offset &+ UInt64(description.length)
            }
        case .secrets(let leg, let lines): frames.keep(lines, of: leg)
        case .finished(let leg, let direction): on(leg) { $0.finish(direction, at: time, &frames, &output) }
        case .reset(let leg, let direction): on(leg) { $0.reset(direction, at: time, &frames, &output) }
        }
    }

    /// Notes what TLS did to the flow, on each leg that has it.
    mutating func note(_ tls: TLSRecord) {
        switch tls {
        case .secured(let secured):
            guard !isWire else { return }
            for (leg, side) in [(FlowLeg.client, secured.client), (.server, secured.server)] {
                guard let side else { continue }
                let name = secured.serverName.map { ", SNI \(SafeText.escaped($0))" } ?? ""
                let chosen = secured.applicationProtocol.map { ", ALPN \(SafeText.escaped($0))" } ?? ""
                note("decrypted from \(side.version)\(name)\(chosen)", on: leg)
            }
        case .failed(let failure): note("TLS failed: \(failure.reason)", on: failure.leg)
        case .truncated, .bypassed, .unused: break
        }
    }
}
