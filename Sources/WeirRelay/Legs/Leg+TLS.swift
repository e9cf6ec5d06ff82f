#if TLS
import CWeir
import WeirEngine

/// The bytes that are read once more, and the records of a leg's end on the wire.
extension Leg {
    /// Whether the next read finds bytes again that were read, and recorded, before.
    var hasHeld: Bool { !held.isEmpty }

    /// Gives back bytes that were read, so that the next reads find them again.
    mutating func giveBack(_ bytes: some Collection<UInt8>) {
        held.insert(contentsOf: bytes, at: 0)
        isReadable = true
    }

    /// Takes bytes that were given back; returns how many.
    mutating func takeHeld(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(held.count, room.count)
        held.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        if count == held.count { held = [] } else { held.removeFirst(count) }
        return count
    }

    /// Records what closing the descriptor does on the wire.
    func recordClose() {
        guard isOpen, let wire else { return }
        // The peer may have reset since the last event.
        if hasAborted || pendingError == .connectionReset { return wire.peerEnded(isReset: true) }
        // The kernel resets if there is something left to read.
        if weir_unread(raw) > 0 { return wire.ended(isReset: true) }
        if hasSeenFIN { wire.peerEnded(isReset: false) }
        if !hasFinished { wire.ended(isReset: false) }
    }
}
#endif
