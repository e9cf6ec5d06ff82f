import WeirWire

/// A deterministic automaton, whose states are made when they are first reached.
///
/// A byte costs one look into a table. The table is limited: when it is full, it begins anew. Somebody who stops between two
/// bytes keeps a `Pause`, which stays valid.
struct ByteAutomaton: Sendable {
    /// The steps of the program that are under way, and what was before.
    struct Key: Hashable, Sendable {
        var steps: [Int32]
        var isLineStart: Bool
        var isBehindWord: Bool
    }

    /// A state that outlives the table.
    struct Pause: Sendable {
        fileprivate var generation: Int
        fileprivate var state: Int
        fileprivate var key: Key
    }

    /// A state, before the next byte.
    struct Cursor: Sendable {
        fileprivate var state: Int
        /// Whether a match that ends here is still to be told.
        fileprivate var isDue = false
    }

    private let program: ByteProgram
    /// Whether a match must begin at the first byte.
    private let isAnchored: Bool
    private let classes: [UInt8]
    private let width: Int
    /// Whether the program asks what was before a byte.
    private let looksBack: Bool
    /// For each byte, whether it can begin a match; empty if that depends on the byte before.
    private var beginnings: [Bool] = []
    /// The state at the beginning; -1 until it is known.
    private var idle = -1
    /// Whether that is also the state after the first bytes of a match, as those of `a*b`.
    private let returnsToStart: Bool
    private var generation = 0
    private var keys: [Key] = []
    private var places: [Key: Int] = [:]
    /// For each state and class: the next state shifted by 2; 1 if a match ends with the byte, 2 if one ended before it.
    private var table: [Int32] = []
    /// The states' flags: 1 if a match ends here, whatever follows; 2 if no match can follow.
    private var flags: [UInt8] = []
    private static let mostStates = 2000
    private static let unknown: Int32 = -1

    init(_ program: ByteProgram, isAnchored: Bool) {
        self.program = program
        self.isAnchored = isAnchored
        (classes, width) = Self.classes(of: program)
        looksBack = program.steps.contains { if case .assertion = $0 { true } else { false } }
        returnsToStart = program.steps.contains { step in
            if case .byte(_, let next) = step { next == program.start } else { false }
        }
        guard !looksBack, !isAnchored else { return }
        let first = closure(of: makeKey([Int32(program.start)], after: nil), before: nil).steps
        beginnings = (UInt8.min...UInt8.max).map { byte in
            first.contains { if case .byte(let set, _) = program.steps[Int($0)] { set.contains(byte) } else { false } }
        }
    }

    /// Returns the key of a state; nothing of the byte before it if no step asks for that.
    private func makeKey(_ steps: [Int32], after previous: UInt8?) -> Key {
        guard looksBack else { return Key(steps: steps, isLineStart: false, isBehindWord: false) }
        return Key(
            steps: steps,
            isLineStart: previous.map { isLineEdge($0, program.isBackward) } ?? true,
            isBehindWord: previous.map { ByteSet.word.contains($0) } ?? false
        )
    }

    /// Returns the state before a byte.
    ///
    /// - Parameter previous: The byte before it; nil at the beginning of a stream or a datagram.
    /// - Returns: The state, to be passed on.
    mutating func start(after previous: UInt8?) -> Cursor {
        Cursor(state: place(of: makeKey([Int32(program.start)], after: previous)))
    }

    /// Returns the state for later.
    func pause(_ cursor: Cursor) -> Pause {
        Pause(generation: generation, state: cursor.state, key: keys[cursor.state])
    }

    /// Returns the state from earlier.
    mutating func resume(_ pause: Pause) -> Cursor {
        Cursor(state: pause.generation == generation ? pause.state : place(of: pause.key))
    }

    /// Returns whether no match can follow.
    func isDead(_ cursor: Cursor) -> Bool { flags[cursor.state] & 2 != 0 }

    /// Returns whether no match has begun that may still end; false if that is not known.
    func isIdle(_ cursor: Cursor) -> Bool { cursor.state == idle && !returnsToStart }

    /// Reads bytes until a match ends.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - at: The place of the next byte, which is moved on.
    ///   - cursor: The state, which is moved on.
    /// - Returns: The end of a match, at `at` or one byte before it; nil if there is none up to the end.
    mutating func find(_ bytes: RawSpan, at: inout Int, _ cursor: inout Cursor) -> Int? {
        if cursor.isDue {
            cursor.isDue = false
            return at
        }
        while true {
            skip(bytes, &at, &cursor.state)
            guard at < bytes.byteCount else { return nil }
            let byte = bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self)
            let step = step(&cursor.state, classes[Int(byte)], byte)
            at &+= 1
            guard step != 0 else { continue }
            cursor.isDue = step == 3
            return step == 1 ? at : at &- 1
        }
    }

    /// Reads bytes up to one whose step is not in the table, or at which a match ends.
    private func skip(_ bytes: RawSpan, _ at: inout Int, _ state: inout Int) {
        let (table, classes, beginnings, end) = (table.span, classes.span, beginnings.span, bytes.byteCount)
        var (place, current) = (at, state)
        while place < end {
            if current == idle {
                // Most bytes begin nothing.
                while place < end, !beginnings[unchecked: Int(bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self))]
                {
                    place &+= 1
                }
                guard place < end else { break }
            }
            let kind = classes[unchecked: Int(bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self))]
            let entry = table[unchecked: current &* width &+ Int(kind)]
            // 3 of a step that is not known yet.
            guard entry & 3 == 0 else { break }
            current = Int(entry >> 2)
            place &+= 1
        }
        (at, state) = (place, current)
    }

    /// Reads one byte.
    ///
    /// - Parameters:
    ///   - byte: The byte.
    ///   - cursor: The state, which is moved on.
    /// - Returns: Whether a match ended before the byte, and whether one ends with it.
    mutating func read(_ byte: UInt8, _ cursor: inout Cursor) -> (before: Bool, with: Bool) {
        let step = step(&cursor.state, classes[Int(byte)], byte)
        return (step & 2 != 0, step & 1 != 0)
    }

    /// Returns whether a match ends at the end of the stream, which was not told before.
    mutating func endsMatch(_ cursor: Cursor) -> Bool {
        guard flags[cursor.state] & 1 == 0 else { return false }
        return closure(of: keys[cursor.state], before: nil).isMatch
    }

    @inline(__always)
    private mutating func step(_ state: inout Int, _ kind: UInt8, _ byte: UInt8) -> Int {
        var entry = table[state &* width &+ Int(kind)]
        if entry == Self.unknown { entry = make(state, kind, byte) }
        state = Int(entry >> 2)
        return Int(entry & 3)
    }

    /// Finds the next state, and notes it in the table.
    @inline(never)
    private mutating func make(_ state: Int, _ kind: UInt8, _ byte: UInt8) -> Int32 {
        let key = keys[state]
        let closed = closure(of: key, before: byte)
        var steps = Set<Int32>()
        if !isAnchored { steps.insert(Int32(program.start)) }
        for step in closed.steps {
            if case .byte(let set, let next) = program.steps[Int(step)], set.contains(byte) {
                steps.insert(Int32(next))
            }
        }
        let isLate = closed.isMatch && flags[state] & 1 == 0
        let before = generation
        let next = place(of: makeKey(steps.sorted(), after: byte))
        let entry = Int32(next) << 2 | (flags[next] & 1 != 0 ? 1 : 0) | (isLate ? 2 : 0)
        if generation == before { table[state * width + Int(kind)] = entry }
        return entry
    }

    private mutating func place(of key: Key) -> Int {
        if let place = places[key] { return place }
        if keys.count >= Self.mostStates {
            generation += 1
            keys.removeAll(keepingCapacity: true)
            places.removeAll(keepingCapacity: true)
            table.removeAll(keepingCapacity: true)
            flags.removeAll(keepingCapacity: true)
            idle = -1
        }
        keys.append(key)
        places[key] = keys.count - 1
        if !beginnings.isEmpty, key.steps == [Int32(program.start)] { idle = keys.count - 1 }
        table += repeatElement(Self.unknown, count: width)
        let isMatch = closure(of: key, before: nil, isBlind: true).isMatch
        flags.append((isMatch ? 1 : 0) | (key.steps.isEmpty ? 2 : 0))
        return keys.count - 1
    }

    /// Follows all steps that take no byte.
    ///
    /// - Parameters:
    ///   - key: The steps under way.
    ///   - next: The byte that follows; nil at the end of the stream.
    ///   - isBlind: Whether what follows is not known, so that only what holds anyway is followed.
    /// - Returns: The steps that take a byte, and whether a match ends here.
    private func closure(of key: Key, before next: UInt8?, isBlind: Bool = false) -> (steps: [Int32], isMatch: Bool) {
        var (open, seen, found, isMatch) = (key.steps, Set<Int32>(), [Int32](), false)
        let isLineEnd = next.map { isLineEdge($0, !program.isBackward) } ?? true
        let isWordEdge = key.isBehindWord != (next.map { ByteSet.word.contains($0) } ?? false)
        while let step = open.popLast() {
            guard seen.insert(step).inserted else { continue }
            switch program.steps[Int(step)] {
            case .byte: found.append(step)
            case .match: isMatch = true
            case .either(let left, let right): open += [Int32(left), Int32(right)]
            case .assertion(let assertion, let next):
                let holds =
                    switch assertion {
                    case .lineStart: key.isLineStart
                    case .lineEnd: !isBlind && isLineEnd
                    case .wordEdge: !isBlind && isWordEdge
                    case .noWordEdge: !isBlind && !isWordEdge
                    }
                if holds { open.append(Int32(next)) }
            }
        }
        return (found, isMatch)
    }

    /// Returns whether a byte is one after which a line begins, or at which it ends.
    private func isLineEdge(_ byte: UInt8, _ isEnd: Bool) -> Bool {
        byte == UInt8(ascii: "\n") || isEnd && byte == UInt8(ascii: "\r")
    }

    /// Puts bytes that the program does not tell apart into one class.
    private static func classes(of program: ByteProgram) -> (classes: [UInt8], width: Int) {
        var sets: Set<ByteSet> = [ByteSet([UInt8(ascii: "\n")]), ByteSet([UInt8(ascii: "\r")]), .word]
        for case .byte(let set, _) in program.steps { sets.insert(set) }
        let ordered = Array(sets)
        var (known, classes) = ([[Bool]: UInt8](), [UInt8]())
        for value in UInt8.min...UInt8.max {
            let signature = ordered.map { $0.contains(value) }
            let kind = known[signature] ?? UInt8(truncatingIfNeeded: known.count)
            known[signature] = kind
            classes.append(kind)
        }
        return (classes, known.count)
    }
}
