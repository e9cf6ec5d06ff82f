import WeirDissect
import WeirWire

/// The colors of message fields in the dumps of captured packets.
///
/// A field that spans several packets is colored from the packet on in which it was recognized.
struct PacketColors: ~Copyable, Sendable {
    /// The packets' own bytes are shown, so their fields are those of what was captured.
    private var dissector = CaptureDissector(settings, readsDecrypted: false)
    private var colors = FieldColors()
    /// The settings that show a message's fields in the packet that completes it: bytes do not wait for earlier ones.
    private static var settings: ReassemblySettings {
        var settings = ReassemblySettings()
        settings.startPatience = 0
        return settings
    }

    /// Reads the next packet, even one that is not shown: the meaning of later ones can depend on it.
    mutating func read(_ captured: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        guard let place = flows.innermost else { return colors.begin(0..<0, .upstream) }
        // The message's bytes are in this packet only if it holds the whole datagram.
        let payload = flows.payloadInPacket
        let start = dissector.streamOffset(in: flows)
        colors.begin(start..<(start + payload.count), place.direction, behind: payload.lowerBound)
        Self.read(captured, bytes, in: flows, place, &dissector, &colors)
    }

    private static func read(
        _ captured: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ place: FlowTable.Place,
        _ dissector: inout CaptureDissector,
        _ colors: inout FieldColors
    ) {
        dissector.add(captured, bytes, in: flows) { flow, message in
            if flow == place.index { colors.add(message) }
        }
        if flows.tcp != nil { dissector.unfinished(place.index, place.direction) { colors.add($1) } }
    }

    /// Appends the dump of the last packet read.
    mutating func append(_ bytes: RawSpan, to output: inout ByteBuffer) { colors.append(bytes, to: &output) }
}

extension CaptureFlows {
    /// The range of the last packet's payload among its captured bytes; empty if it was reassembled, or if there is
    /// none.
    fileprivate var payloadInPacket: Range<Int> {
        if let segment = packet.tcp { return segment.isReassembled ? 0..<0 : segment.payload }
        guard let datagram = packet.innerUDP.last ?? packet.udp else { return 0..<0 }
        return datagram.isReassembled ? 0..<0 : datagram.payload
    }
}
