// A datagram contains only whole messages.
import WeirWire

extension FlowDissector {
    /// Reads one datagram, which may contain several messages.
    mutating func addDatagram(_ bytes: RawSpan, _ side: Int, _ receiver: Receiver) {
        guard sides[side].mode != .off else { return }
        sides[side].offset = 0
        guard bytes.byteCount > 0 else { return }
        if dissector == nil {
            switch detect(bytes, side) {
            case .yes, .maybe: sides[side].mode = .reading
            case .no, .more: return
            }
        }
        read(datagram: bytes, side, receiver)
    }

    private mutating func read(datagram bytes: RawSpan, _ side: Int, _ receiver: Receiver) {
        var at = 0
        while at < bytes.byteCount, dissector != nil {
            let part = bytes.extracting(droppingFirst: at)
            begin(side)
            sides[side].message.base = at
            let place = MessagePlace(direction: sides[side].direction, transport: .udp, offset: at)
            switch parse(part, place, side) {
            case .message(let count) where count > 0:
                at &+= min(count, part.byteCount)
                sides[side].offset = at
                emit(side, isComplete: count <= part.byteCount, receiver)
            case .skip(let count) where count > 0 && count < part.byteCount:
                at &+= count
                sides[side].offset = at
            case .rest:
                sides[side].offset = bytes.byteCount
                return emit(side, isComplete: true, receiver)
            case .giveUp where messages == 0:
                return giveUp(side)
            case .more:
                conclude(part, side)
                fallthrough
            default:
                sides[side].offset = bytes.byteCount
                if !sides[side].message.summary.isEmpty { emit(side, isComplete: false, receiver) }
                return sides[side].message.removeAll()
            }
        }
        sides[side].message.removeAll()
    }
}
