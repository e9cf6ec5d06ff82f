/// The options of a TCP header, as bytes from which options are read one at a time.
///
/// Source: RFC 9293 section 3.2; IANA, TCP Option Kind Numbers.
public struct TCPOptions: Hashable, Sendable {
    /// The bytes as on the wire, with their padding.
    public var bytes: OptionBytes

    /// Creates options from their bytes.
    public init(bytes: OptionBytes = OptionBytes()) {
        self.bytes = bytes
    }
}

extension TCPOptions {
    /// Creates the options of a SYN: the maximum segment size and, after a no-operation, the window scale.
    ///
    /// - Parameters:
    ///   - maximumSegmentSize: The largest payload that the sender accepts, in bytes.
    ///   - windowScale: The number of bits by which the sender's windows are shifted; nil leaves the option out.
    public init(maximumSegmentSize: UInt16, windowScale: UInt8?) {
        self.init()
        append(.maximumSegmentSize(maximumSegmentSize))
        guard let windowScale else { return }
        append(.noOperation)
        append(.windowScale(windowScale))
    }

    /// The largest payload that the sender accepts in bytes; nil without the option.
    public var maximumSegmentSize: UInt16? {
        for case .maximumSegmentSize(let size) in self { return size }
        return nil
    }

    /// The number of bits by which the sender's windows are shifted, at most 14; nil without the option.
    ///
    /// Source: RFC 7323 section 2.3.
    public var windowScale: UInt8? {
        for case .windowScale(let shift) in self { return shift > 14 ? 14 : shift }
        return nil
    }
}

extension TCPOptions: Sequence {
    /// Returns the options in order; a malformed one is the last.
    public func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    /// An iterator over the options of a header.
    public struct Iterator: IteratorProtocol {
        let bytes: OptionBytes
        var offset = 0

        /// Returns the next option; nil after the last.
        public mutating func next() -> TCPOption? {
            switch bytes.nextOption(at: &offset) {
            case nil: nil
            case .endOfList: .endOfList
            case .noOperation: .noOperation
            case .malformed(let kind, let place): .malformed(kind: kind, at: place)
            case .content(let kind, let content): TCPOption(kind: kind, in: bytes, range: content)
            }
        }
    }
}

extension TCPOptions {
    /// Appends an option if the header has room for it.
    ///
    /// - Returns: Whether it was appended; `other` and `malformed` never are, because they do not contain their bytes.
    @discardableResult
    public mutating func append(_ option: TCPOption) -> Bool {
        switch option {
        case .endOfList: return bytes.append(TCPOption.Kind.endOfList.rawValue)
        case .noOperation: return bytes.append(TCPOption.Kind.noOperation.rawValue)
        case .maximumSegmentSize(let size): return append(.maximumSegmentSize, UInt64(size), width: 2)
        case .windowScale(let shift): return append(.windowScale, UInt64(shift), width: 1)
        case .selectiveAcknowledgmentPermitted: return append(.selectiveAcknowledgmentPermitted, 0, width: 0)
        case .timestamps(let value, let echo):
            return append(.timestamps, UInt64(value) << 32 | UInt64(echo), width: 8)
        case .selectiveAcknowledgment(let blocks):
            guard begin(.selectiveAcknowledgment, contentLength: blocks.count * 8) else { return false }
            for index in 0..<blocks.count {
                bytes.append(UInt64(blocks[index].start) << 32 | UInt64(blocks[index].end), width: 8)
            }
            return true
        case .other, .malformed: return false
        }
    }

    private mutating func append(_ kind: TCPOption.Kind, _ number: UInt64, width: Int) -> Bool {
        guard begin(kind, contentLength: width) else { return false }
        bytes.append(number, width: width)
        return true
    }

    private mutating func begin(_ kind: TCPOption.Kind, contentLength: Int) -> Bool {
        guard bytes.count + 2 + contentLength <= OptionBytes.capacity else { return false }
        bytes.append(kind.rawValue)
        bytes.append(UInt8(2 + contentLength))
        return true
    }
}
