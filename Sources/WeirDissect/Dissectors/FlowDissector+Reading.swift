import WeirWire

// The passage of bytes through a dissector.
extension FlowDissector {
    /// Reads a part of a stream, after the buffered bytes.
    mutating func addStream(_ bytes: RawSpan, _ side: Int, _ receiver: Receiver) {
        var rest = bytes
        if sides[side].passing > 0 {
            rest = rest.extracting(droppingFirst: sides[side].pass(rest.byteCount))
            endIfPassed(side, receiver)
        }
        while !sides[side].held.isEmpty {
            // Moved out, so that the bytes can be lent while the side changes.
            var held: [UInt8] = []
            swap(&held, &sides[side].held)
            let old = held.count
            // Copies little more than needed, but not one byte at a time either.
            let part = rest.extracting(first: max(sides[side].need &- old, 1024))
            part.withUnsafeBytes { held.append(contentsOf: $0) }
            rest = rest.extracting(droppingFirst: part.byteCount)
            let consumed = read(held.span.bytes, side, receiver)
            if consumed >= old {
                // The buffered bytes are read: continue with the chunk itself, from where reading stopped within the
                // part.
                let behind = bytes.byteCount &- rest.byteCount &- part.byteCount &+ (consumed &- old)
                rest = bytes.extracting(droppingFirst: min(behind, bytes.byteCount))
                break
            }
            if consumed > 0 { held.removeFirst(consumed) }
            sides[side].held = held
            look(side, held.count, isEffort: false)
            guard keepsHeld(side), rest.byteCount > 0 else { return }
        }
        let consumed = read(rest, side, receiver)
        guard consumed < rest.byteCount else { return }
        let behind = rest.extracting(droppingFirst: consumed)
        look(side, behind.byteCount, isEffort: false)
        guard max(behind.byteCount, sides[side].need) <= Self.heldLimit else {
            sides[side].offset &+= behind.byteCount
            return lose(side)
        }
        behind.withUnsafeBytes { sides[side].held = Array($0) }
    }

    /// Returns whether bytes may be buffered; if they are too many, the message is lost.
    private mutating func keepsHeld(_ side: Int) -> Bool {
        let count = sides[side].held.count
        guard max(count, sides[side].need) > Self.heldLimit else { return true }
        sides[side].held = []
        sides[side].offset &+= count
        lose(side)
        return false
    }

    /// Reads bytes as far as possible, and returns their number; the others must be buffered.
    private mutating func read(_ bytes: RawSpan, _ side: Int, _ receiver: Receiver) -> Int {
        var at = 0
        while at < bytes.byteCount {
            let part = bytes.extracting(droppingFirst: at)
            if sides[side].passing > 0 {
                at &+= sides[side].pass(part.byteCount)
                endIfPassed(side, receiver)
                continue
            }
            if sides[side].isRest { return passAll(part, side, at) }
            switch sides[side].mode {
            case .off: return passAll(part, side, at)
            case .waiting: return at
            case .detecting, .searching:
                let found = detect(part, side)
                look(side, part.byteCount, isEffort: found == .no)
                switch found {
                case .yes, .maybe: sides[side].mode = .reading
                case .more(let count):
                    sides[side].need = count
                    return at
                case .no: return passAll(part, side, at)
                }
            case .reading:
                if part.byteCount < sides[side].need { return at }
                let read = step(part, side, receiver)
                if read == 0, sides[side].mode == .reading || sides[side].mode == .waiting,
                    sides[side].passing == 0, !sides[side].isRest
                {
                    return at
                }
                at &+= read
            }
        }
        return at
    }

    private mutating func passAll(_ part: RawSpan, _ side: Int, _ at: Int) -> Int {
        sides[side].offset &+= part.byteCount
        return at &+ part.byteCount
    }

    /// Runs one step of the dissector, and returns the number of bytes it has read.
    private mutating func step(_ part: RawSpan, _ side: Int, _ receiver: Receiver) -> Int {
        let offset = sides[side].offset
        begin(side)
        sides[side].message.base = offset
        let place = MessagePlace(direction: sides[side].direction, transport: transport, offset: offset)
        sides[side].need = 1
        sides[side].message.looked = nil
        let step = parse(part, place, side)
        look(side, lookedAt(part, step, sides[side].message.looked))
        switch step {
        case .message(let count) where count > 0:
            sides[side].letPass(count, endsBehind: true)
            let read = sides[side].pass(part.byteCount)
            endIfPassed(side, receiver)
            return read
        case .skip(let count) where count > 0:
            sides[side].letPass(count, endsBehind: false)
            return sides[side].pass(part.byteCount)
        case .rest:
            sides[side].isRest = true
        case .more(let count):
            sides[side].need = max(count, part.byteCount &+ 1)
        case .wait:
            sides[side].mode = .waiting
        case .giveUp where readCount(side) == 0:
            giveUp(side)
        case .giveUp where sides[side].messages == 0 && !sides[side].isRefused:
            refuse(side)
        case .giveUp, .lost, .message, .skip:
            // This chunk remains bytes; the next one may begin a message.
            sides[side].offset &+= part.byteCount
            lose(side)
            return part.byteCount
        }
        return 0
    }

    /// Returns the number of bytes that a step depends on.
    @inline(__always)
    private func lookedAt(_ part: RawSpan, _ step: DissectionStep, _ looked: Int?) -> Int {
        switch step {
        case .message(let count) where count > 0: min(max(looked ?? count, 1), part.byteCount)
        case .skip(let count) where count > 0: min(max(looked ?? count, 1), part.byteCount)
        case .rest: min(max(looked ?? .max, 1), part.byteCount)
        case .more, .wait, .lost, .giveUp, .message, .skip: part.byteCount
        }
    }

    mutating func begin(_ side: Int) {
        guard !sides[side].message.isBegun else { return }
        let name = sides[side].isApart ? chosenApart : chosen
        sides[side].message.begin(name, sides[side].direction, at: sides[side].offset, time: sides[side].time)
        sides[side].message.content.isDecrypted = layer == .decrypted
    }

    /// Delivers the message if its last byte has passed.
    mutating func endIfPassed(_ side: Int, _ receiver: Receiver) {
        guard sides[side].passing == 0, sides[side].endsBehind else { return }
        emit(side, isComplete: true, receiver)
    }

    /// Delivers a message.
    mutating func emit(_ side: Int, isComplete: Bool, _ receiver: Receiver) {
        sides[side].endsBehind = false
        sides[side].isRest = false
        guard sides[side].message.isBegun else { return }
        let start = sides[side].message.range.lowerBound
        sides[side].message.range = start..<max(sides[side].offset, start)
        sides[side].message.time = sides[side].time
        sides[side].message.isComplete = isComplete && !sides[side].message.isCut
        // Messages of two protocols are no request and its answer.
        if sides[side].isApart || sides[1 &- side].isApart { sides[side].message.role = nil }
        requests.pair(&sides[side].message)
        note(sides[side].message, side)
        receiver(sides[side].message.content)
        let next = sides[side].message.handOver
        sides[side].message.removeAll()
        if let next { handOver(next, from: side) }
        wake(1 &- side)
    }

    private mutating func note(_ message: DissectedMessage, _ side: Int) {
        messages &+= 1
        sides[side].messages &+= 1
        if !sides[side].isApart || name == nil { name = message.name }
        for field in message.fields {
            guard let finding = field.name.finding, findings[finding] == nil, case .text(let text) = field.value else {
                continue
            }
            findings[finding] = text
        }
    }

    /// Continues with bytes of another layer: what was decrypted has a protocol of its own.
    public mutating func enter(_ next: StreamPiece.Layer) {
        guard next != layer else { return }
        if next == .decrypted || layer == .decrypted {
            for side in sides.indices { enterAnew(side) }
            excluded = 0
            handOver(.unknown, from: 0)
        }
        layer = next
    }

    /// Drops what is half read of a direction.
    private mutating func enterAnew(_ side: Int) {
        sides[side].offset &+= sides[side].held.count
        sides[side].held = []
        sides[side].passing = 0
        sides[side].endsBehind = false
        sides[side].isRest = false
        sides[side].message.removeAll()
        sides[side].need = 1
        sides[side].mode = .detecting
    }

    private mutating func handOver(_ next: DissectedMessage.HandOver, from side: Int) {
        requests.removeAll()
        sides[1 &- side].message.removeAll()
        sides[1 &- side].need = 1
        wake(1 &- side)
        var mode = DissectedSide.Mode.reading
        switch next {
        case .to(let next):
            dissector = next
            chosen = type(of: next).description.name
        case .unknown:
            dissector = nil
            mode = .detecting
        }
        apart = nil
        for index in sides.indices where sides[index].mode != .off {
            sides[index].mode = mode
            sides[index].tries = 0
            sides[index].isApart = false
            sides[index].isRefused = false
            if dissector == nil { sides[index].messages = 0 }
        }
    }

    /// Makes the other side read its buffered bytes again.
    private mutating func wake(_ other: Int) {
        guard sides[other].mode == .waiting else { return }
        sides[other].mode = .reading
        sides[other].isWoken = true
    }
}

// Bytes that are not understood.
extension FlowDissector {
    /// Delivers an incomplete message, if anything is known of it.
    mutating func abandon(_ side: Int, _ receiver: Receiver) {
        if sides[side].mode == .reading, sides[side].passing == 0, !sides[side].held.isEmpty {
            var held: [UInt8] = []
            swap(&held, &sides[side].held)
            conclude(held.span.bytes, side)
            sides[side].offset &+= held.count
        } else {
            sides[side].offset &+= sides[side].held.count
            sides[side].held = []
        }
        sides[side].passing = 0
        sides[side].need = 1
        if sides[side].message.isBegun, !sides[side].message.summary.isEmpty {
            emit(side, isComplete: false, receiver)
        }
        sides[side].message.removeAll()
        sides[side].endsBehind = false
        sides[side].isRest = false
    }

    /// Lets the dissector read as much of a message as there is.
    mutating func conclude(_ bytes: RawSpan, _ side: Int) {
        let offset = sides[side].offset
        begin(side)
        sides[side].message.base = offset
        let place = MessagePlace(direction: sides[side].direction, transport: transport, offset: offset)
        if sides[side].isApart {
            apart?.conclude(bytes, place, into: &sides[side].message)
        } else {
            dissector?.conclude(bytes, place, into: &sides[side].message)
        }
    }

    /// Starts the search for the next chunk that begins a message.
    private mutating func lose(_ side: Int) {
        sides[side].message.removeAll()
        sides[side].need = 1
        guard dissector != nil else { return }
        sides[side].mode = .searching
        loseState(side)
    }

    /// Makes the dissector of a direction forget its half-read message.
    mutating func loseState(_ side: Int) {
        if sides[side].isApart {
            apart?.lose(sides[side].direction)
        } else {
            dissector?.lose(sides[side].direction)
        }
    }
}
