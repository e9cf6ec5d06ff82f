package import WeirWire

/// The colors of message fields in the dump of a chunk.
package struct FieldColors: Sendable {
    private var painted: [UInt8] = []
    private var names: [StaticString] = []
    private var fields: [(name: StaticString, range: Range<Int>)] = []
    private var shown = 0..<0
    /// The number of bytes in the dump before the part.
    private var lead = 0
    private var direction = Direction.upstream

    package init() {}

    /// Begins a part of a stream or a datagram, without colors yet.
    ///
    /// - Parameters:
    ///   - range: its range in the stream; a datagram begins at 0.
    ///   - direction: its direction.
    ///   - lead: the number of other bytes before it in the dump.
    package mutating func begin(_ range: Range<Int>, _ direction: Direction, behind lead: Int = 0) {
        shown = range
        self.lead = lead
        self.direction = direction
        fields.removeAll(keepingCapacity: true)
    }

    /// Adds the fields of a message, as far as they are shown.
    package mutating func add(_ message: borrowing Message) {
        guard message.direction == direction else { return }
        for field in message.fields where field.range.overlaps(shown) {
            fields.append((field.name.name, field.range.clamped(to: shown)))
        }
    }

    /// Appends the dump, with the fields' colors.
    package mutating func append(_ bytes: RawSpan, isIndented: Bool = false, to output: inout ByteBuffer) {
        guard !fields.isEmpty else { return HexDump.append(bytes, isIndented: isIndented, to: &output) }
        paint()
        HexDump.append(bytes, painted: painted, isIndented: isIndented, to: &output)
    }

    /// Returns the color of a field in the last dump; nil if it had none.
    package func color(of name: StaticString) -> StaticString? {
        let index = fields.isEmpty ? nil : names.firstIndex { $0.utf8Start == name.utf8Start }
        return index.map { HexDump.colors[$0 % HexDump.colors.count] }
    }

    private mutating func paint() {
        painted = Array(repeating: 0, count: lead + shown.count)
        names.removeAll(keepingCapacity: true)
        // A field within another one is painted over it; colors are assigned to names in the order of the bytes.
        fields.sort { ($0.range.lowerBound, -$0.range.count) < ($1.range.lowerBound, -$1.range.count) }
        for (name, range) in fields {
            let known = names.firstIndex { $0.utf8Start == name.utf8Start }
            let index = known ?? names.count
            if known == nil { names.append(name) }
            let color = UInt8(index % HexDump.colors.count + 1)
            for place in range { painted[lead + place - shown.lowerBound] = color }
        }
    }
}
