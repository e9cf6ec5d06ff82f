/// What the reader of text can show: a terminal of some width, or a file or a pipe.
public struct TerminalStyle: Hashable, Sendable {
    /// The number of columns of the terminal; nil for a file or a pipe, whose lines are whole and dated.
    public var width: Int?
    /// Whether signs may be used that ASCII does not have.
    public var isUnicode: Bool
    /// Whether text is colored with ANSI sequences.
    public var color: Bool

    /// Creates a style; the default is that of a file.
    public init(width: Int? = nil, isUnicode: Bool = true, color: Bool = false) {
        self.width = width.map { max($0, Self.narrowest) }
        self.isUnicode = isUnicode
        self.color = color
    }

    /// The least number of columns: lines of a narrower terminal are wrapped.
    public static let narrowest = 40
    /// The column at which the right part of a line ends at the latest: far from the left part it is hard to read.
    static let rightEdge = 120

    /// Whether lines are for a terminal.
    @inlinable
    public var isTerminal: Bool { width != nil }

    /// The sign of a direction.
    public func sign(_ direction: Direction) -> StaticString {
        switch (direction, isUnicode) {
        case (.upstream, true): "▲"
        case (.downstream, true): "▼"
        case (.upstream, false): ">"
        case (.downstream, false): "<"
        }
    }

    /// The sign between the ends of a connection.
    public var arrow: StaticString { isUnicode ? "→" : "->" }

    /// The sign between the legs of a flow.
    public var doubleArrow: StaticString { isUnicode ? "⇒" : "=>" }

    /// The sign for what was cut off.
    public var ellipsis: StaticString { isUnicode ? "…" : "..." }

    /// The sign for what was cut off, after which no color is left.
    fileprivate var cutSign: StaticString {
        switch (isUnicode, color) {
        case (true, false): "…"
        case (true, true): "…\u{1B}[0m"
        case (false, false): "..."
        case (false, true): "...\u{1B}[0m"
        }
    }
}

extension Direction {
    /// The sequence that begins the color of a direction.
    public var color: StaticString { self == .upstream ? "\u{1B}[36m" : "\u{1B}[33m" }
}

// MARK: - Lines

extension ByteBuffer {
    /// Begins the right part of a line, which is never cut: a size, for example.
    ///
    /// - Returns: Its place, for `endLine`.
    public mutating func beginRight(_ style: TerminalStyle) -> Int {
        if !style.isTerminal { append("   ") }
        return count
    }

    /// Replaces what is not ASCII in what follows a place, if the reader has nothing else.
    ///
    /// `endLine` does so, too; a cell that is measured before needs it earlier.
    public mutating func spell(from start: Int, _ style: TerminalStyle) {
        if !style.isUnicode { spellInASCII(start..<count) }
    }

    /// Ends a line: makes it fit, and appends a line feed.
    ///
    /// On a terminal the right part stands at the right edge; if there is no room for both, the left part is cut.
    ///
    /// - Parameters:
    ///   - start: The value of `count` at the beginning of the line.
    ///   - right: What `beginRight` returned; nil if there is no right part.
    ///   - style: The reader.
    public mutating func endLine(from start: Int, right: Int? = nil, _ style: TerminalStyle) {
        var right = right
        if !style.isUnicode {
            let end = spellInASCII(start..<(right ?? count))
            if right != nil {
                spellInASCII(end..<count)
                right = end
            }
        }
        if let width = style.width {
            if let right { align(start..<right, to: width, style) }
            if columns(from: start) > width { cut(start..<count, to: width, style) }
        }
        append(UInt8(ascii: "\n"))
    }

    /// Ends a cell of a table with blanks up to its width, or cuts it.
    ///
    /// - Parameters:
    ///   - start: The value of `count` at the beginning of the cell.
    ///   - limit: The number of columns to which it is cut; nil if it may be wider.
    ///   - width: The number of columns that it has at least.
    ///   - style: The reader.
    ///   - color: The sequence of the row's color, which is set again after a cut.
    public mutating func endCell(
        from start: Int,
        _ limit: Int?,
        atLeast width: Int,
        _ style: TerminalStyle,
        then color: StaticString = ""
    ) {
        let columns = columns(from: start)
        if let limit, columns > limit {
            cut(start..<count, to: limit, style)
            append(color)
        }
        // A cut before a wide character leaves a column.
        for _ in 0..<max(width - self.columns(from: start), 0) { append(UInt8(ascii: " ")) }
    }

    /// Removes the blanks at the end of what follows a place.
    public mutating func removeBlanks(after start: Int) {
        let end = withUnsafeBytes { bytes in
            bytes[start...].lastIndex { $0 != UInt8(ascii: " ") }.map { $0 + 1 } ?? start
        }
        truncate(to: end)
    }

    /// Returns the columns of what follows a place in the buffer.
    public func columns(from start: Int) -> Int { columns(of: start..<count) }

    private func columns(of range: Range<Int>) -> Int {
        withUnsafeBytes { DisplayWidth.columns(of: $0.bytes.extracting(range)) }
    }

    /// Cuts the left part of a line if there is no room for it, and moves the right part, which follows it, to its edge.
    private mutating func align(_ left: Range<Int>, to width: Int, _ style: TerminalStyle) {
        let (needed, gap) = (columns(from: left.upperBound), 3)
        let room = max(width - gap - needed, Self.leastLeft)
        var (used, end) = (columns(of: left), left.upperBound)
        if used > room {
            end = cut(left, to: room, style)
            used = columns(of: left.lowerBound..<end)
        }
        let blanks = max(min(width, TerminalStyle.rightEdge) - used - needed, gap)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: blanks) { memory in
            memory.initialize(repeating: UInt8(ascii: " "))
            replace(end..<end, with: UnsafeRawBufferPointer(memory))
        }
    }

    /// The number of columns that the left part of a line keeps, however wide the right one is.
    private static let leastLeft = 16

    /// Cuts a part of a line to a number of columns, of which the sign for what was cut off takes the last.
    ///
    /// - Returns: The end of the part.
    @discardableResult
    private mutating func cut(_ range: Range<Int>, to columns: Int, _ style: TerminalStyle) -> Int {
        let kept = withUnsafeBytes { bytes in
            DisplayWidth.prefix(of: bytes.bytes.extracting(range), columns: columns - (style.isUnicode ? 1 : 3)).bytes
        }
        let rest = range.lowerBound + kept..<range.upperBound
        return style.cutSign.withUTF8Buffer { sign in
            replace(rest, with: UnsafeRawBufferPointer(sign))
            return rest.lowerBound + sign.count
        }
    }

    /// Replaces what is not ASCII in a part of a line: by `\u{e9}`, or by `?` if it is not UTF-8.
    ///
    /// - Returns: The end of the part.
    @discardableResult
    private mutating func spellInASCII(_ range: Range<Int>) -> Int {
        let isPlain = withUnsafeBytes { bytes in !bytes[range].contains { $0 >= 0x80 } }
        if isPlain { return range.upperBound }
        var spelled = ByteBuffer(capacity: 2 * range.count + 64)
        withUnsafeBytes { bytes in
            var index = range.lowerBound
            while index < range.upperBound {
                if bytes[index] < 0x80 {
                    spelled.append(bytes[index])
                    index += 1
                } else if let (scalar, length) = SafeText.decode(bytes.bytes, at: index) {
                    spelled.append("\\u{")
                    spelled.append(String(scalar, radix: 16))
                    spelled.append("}")
                    index += length
                } else {
                    spelled.append("?")
                    index += 1
                }
            }
        }
        spelled.withUnsafeBytes { replace(range, with: $0) }
        return range.lowerBound + spelled.count
    }
}

// MARK: - Addresses

/// The addresses of a line, to leave out those that its reader knows.
public struct LineAddresses: Sendable {
    private let isShort: Bool
    private var last: IPAddress?

    /// Begins a line.
    ///
    /// - Parameter isShort: Whether a loopback address, and the address that the line had last, are left out.
    public init(isShort: Bool) {
        self.isShort = isShort
    }

    /// Appends an endpoint: `10.0.0.5:443`, or `:443`.
    public mutating func append(_ endpoint: Endpoint, to output: inout ByteBuffer) {
        defer { last = endpoint.address }
        guard isShort, endpoint.address.isLoopback || endpoint.address == last else {
            return endpoint.write(to: &output)
        }
        output.append(UInt8(ascii: ":"))
        output.appendDecimal(endpoint.port)
    }
}
