/// A dump of bytes as hex and text, in the layout of `hexdump -Cv` of util-linux without its closing offset line.
///
/// A line of 16 bytes has 79 characters: `offset  8 × "xx "  8 × "xx " |text|` and a line feed.
///
///     00000000  48 65 6c 6c 6f 2c 20 73  65 72 76 65 72 21        |Hello, server!|
///
/// The offset starts at 0 in each dump, and again every 32,768 bytes, as `text2pcap` expects of a packet.
public enum HexDump {
    /// The number of bytes in a full line.
    public static let bytesPerLine = 16
    /// The number of bytes after which the offset starts from 0 again.
    public static let offsetPeriod = 32_768

    /// Returns the size of the dump of `count` bytes, in bytes.
    ///
    /// - Precondition: `count` is not negative.
    @inlinable
    public static func size(of count: Int) -> Int {
        precondition(count >= 0, "a size is not negative")
        let (lines, rest) = count.quotientAndRemainder(dividingBy: bytesPerLine)
        return lines * Line.size + (rest == 0 ? 0 : Line.size - bytesPerLine + rest)
    }

    /// The number of blanks before each line of an indented dump.
    static let indent = 2

    /// Appends the dump of some bytes, each line with a line feed at its end; nothing for no bytes.
    ///
    /// Allocates at most once.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - isIndented: Whether each line begins with two blanks.
    ///   - output: The buffer to append to.
    public static func append(_ bytes: RawSpan, isIndented: Bool = false, to output: inout ByteBuffer) {
        let lines = (bytes.byteCount + bytesPerLine - 1) / bytesPerLine
        let size = size(of: bytes.byteCount) + (isIndented ? lines * indent : 0)
        output.append(upTo: size) { target in
            guard let line = target.baseAddress else { return 0 }
            bytes.withUnsafeBytes { source in
                guard let input = source.baseAddress else { return }
                writeLines(of: input, count: source.count, to: line, indent: isIndented ? indent : 0)
            }
            return size
        }
    }

    /// The offsets of a line's columns, in bytes.
    @usableFromInline
    enum Line {
        static let hex = 10
        static let secondHex = 35
        static let bar = 60
        static let text = 61
        @usableFromInline static let size = 79
    }
}

extension HexDump {
    private static func writeLines(
        of input: UnsafeRawPointer,
        count: Int,
        to output: UnsafeMutableRawPointer,
        indent: Int
    ) {
        let pairs = UnsafeRawPointer(hexPairs.utf8Start)
        let rest = count % bytesPerLine
        let whole = count &- rest
        var line = output
        var offset = 0
        while offset < whole {
            if indent > 0 {
                line.storeBytes(of: 0x2020, as: UInt16.self)
                line += indent
            }
            writeOffset(offset, to: line, pairs: pairs)
            let bytes = input + offset
            writeHex(of: bytes, to: line + Line.hex, pairs: pairs)
            writeHex(of: bytes + 8, to: line + Line.secondHex, pairs: pairs)
            line.storeBytes(of: UInt8(ascii: "|"), toByteOffset: Line.bar, as: UInt8.self)
            let text = printable(bytes.loadUnaligned(as: SIMD16<UInt8>.self))
            line.storeBytes(of: text, toByteOffset: Line.text, as: SIMD16<UInt8>.self)
            closeLine(line + Line.text + bytesPerLine)
            line += Line.size
            offset &+= bytesPerLine
        }
        if rest > 0 {
            if indent > 0 {
                line.storeBytes(of: 0x2020, as: UInt16.self)
                line += indent
            }
            writeOffset(offset, to: line, pairs: pairs)
            writeShortLine(of: UnsafeRawBufferPointer(start: input + offset, count: rest), to: line, pairs: pairs)
        }
    }

    /// Writes the columns after the offset for fewer than 16 bytes.
    private static func writeShortLine(
        of bytes: UnsafeRawBufferPointer,
        to line: UnsafeMutableRawPointer,
        pairs: UnsafeRawPointer
    ) {
        (line + Line.hex).initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "), count: Line.bar - Line.hex)
        for (index, byte) in bytes.enumerated() {
            let column = index < 8 ? Line.hex + 3 * index : Line.secondHex + 3 * (index - 8)
            let pair = pairs.loadUnaligned(fromByteOffset: 4 * Int(byte), as: UInt16.self)
            line.storeBytes(of: pair, toByteOffset: column, as: UInt16.self)
            let character = byte >= 0x20 && byte <= 0x7e ? byte : UInt8(ascii: ".")
            line.storeBytes(of: character, toByteOffset: Line.text + index, as: UInt8.self)
        }
        line.storeBytes(of: UInt8(ascii: "|"), toByteOffset: Line.bar, as: UInt8.self)
        closeLine(line + Line.text + bytes.count)
    }

    /// Writes eight digits and two blanks; the first four digits are always 0, because the offset is below 32,768.
    @inline(__always)
    private static func writeOffset(_ offset: Int, to line: UnsafeMutableRawPointer, pairs: UnsafeRawPointer) {
        let high = (offset &>> 8) & (offsetPeriod / 256 - 1)
        let low = offset & 0xff
        line.storeBytes(of: 0x3030_3030, as: UInt32.self)
        line.storeBytes(
            of: pairs.loadUnaligned(fromByteOffset: 4 &* high, as: UInt16.self),
            toByteOffset: 4,
            as: UInt16.self
        )
        line.storeBytes(
            of: pairs.loadUnaligned(fromByteOffset: 4 &* low, as: UInt32.self),
            toByteOffset: 6,
            as: UInt32.self
        )
    }

    /// Writes eight bytes as `xx ` and one more blank: 25 characters.
    @inline(__always)
    private static func writeHex(
        of bytes: UnsafeRawPointer,
        to column: UnsafeMutableRawPointer,
        pairs: UnsafeRawPointer
    ) {
        // Each store of four bytes overlaps the next by one; the last one's fourth byte is the blank between the
        // columns.
        for index in 0..<8 {
            let byte = bytes.load(fromByteOffset: index, as: UInt8.self)
            let pair = pairs.loadUnaligned(fromByteOffset: 4 &* Int(byte), as: UInt32.self)
            column.storeBytes(of: pair, toByteOffset: 3 &* index, as: UInt32.self)
        }
    }

    @inline(__always)
    private static func printable(_ bytes: SIMD16<UInt8>) -> SIMD16<UInt8> {
        // Below 0x20 the difference wraps to a set top bit; from 0x7f up the difference or the sum has it set.
        let unprintable = signMask(of: (bytes &- 0x20) | (bytes &+ 1))
        return bytes & ~unprintable | unprintable & UInt8(ascii: ".")
    }

    @inline(__always)
    private static func closeLine(_ end: UnsafeMutableRawPointer) {
        end.storeBytes(of: UInt8(ascii: "|"), as: UInt8.self)
        end.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: 1, as: UInt8.self)
    }

    /// Two hex digits and two blanks for each byte value; a string literal, whose address needs no initialiser to run.
    private static var hexPairs: StaticString {
        """
        00  01  02  03  04  05  06  07  08  09  0a  0b  0c  0d  0e  0f  \
        10  11  12  13  14  15  16  17  18  19  1a  1b  1c  1d  1e  1f  \
        20  21  22  23  24  25  26  27  28  29  2a  2b  2c  2d  2e  2f  \
        30  31  32  33  34  35  36  37  38  39  3a  3b  3c  3d  3e  3f  \
        40  41  42  43  44  45  46  47  48  49  4a  4b  4c  4d  4e  4f  \
        50  51  52  53  54  55  56  57  58  59  5a  5b  5c  5d  5e  5f  \
        60  61  62  63  64  65  66  67  68  69  6a  6b  6c  6d  6e  6f  \
        70  71  72  73  74  75  76  77  78  79  7a  7b  7c  7d  7e  7f  \
        80  81  82  83  84  85  86  87  88  89  8a  8b  8c  8d  8e  8f  \
        90  91  92  93  94  95  96  97  98  99  9a  9b  9c  9d  9e  9f  \
        a0  a1  a2  a3  a4  a5  a6  a7  a8  a9  aa  ab  ac  ad  ae  af  \
        b0  b1  b2  b3  b4  b5  b6  b7  b8  b9  ba  bb  bc  bd  be  bf  \
        c0  c1  c2  c3  c4  c5  c6  c7  c8  c9  ca  cb  cc  cd  ce  cf  \
        d0  d1  d2  d3  d4  d5  d6  d7  d8  d9  da  db  dc  dd  de  df  \
        e0  e1  e2  e3  e4  e5  e6  e7  e8  e9  ea  eb  ec  ed  ee  ef  \
        f0  f1  f2  f3  f4  f5  f6  f7  f8  f9  fa  fb  fc  fd  fe  ff  \

        """
    }
}
