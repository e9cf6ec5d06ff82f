import Testing
import WeirWire

@Suite("Capture file error")
struct CaptureFileErrorTests {
    @Test(
        "Says in one line what is wrong, where, and what to do",
        arguments: [
            (.notCapture([]), "neither a capture nor a log: it is empty"),
            (
                .notCapture([0x48, 0x65, 0x6c, 0x0a]),
                "neither a capture nor a log: it begins with (48 65 6c 0a); Weir reads pcap and pcapng, also compressed "
                    + "with gzip, and the JSON Lines of weir relay --log"
            ),
            (.notCapture([0x1f, 0x8b, 8, 0]), "compressed with gzip; decompress it first, with gunzip"),
            (.notCapture([0x28, 0xb5, 0x2f, 0xfd]), "compressed with zstd; decompress it first, with unzstd"),
            (
                .unsupported(version: CaptureVersion(isPcapng: false, major: 3, minor: 4), at: 4),
                "pcap 3.4 at byte 4 is a version that Weir does not read; it reads pcap 2.x, pcapng 1.0 and 1.2"
            ),
            (
                .truncated(needed: 60, available: 12, at: 100),
                "cut short at byte 112: what begins at byte 100 has 60 bytes or more, and 12 are there; all before it can be used"
            ),
            (
                .malformed(.lengthsDiffer(36, 40), at: 48),
                "damaged at byte 48: the block is 36 bytes long at its beginning and 40 at its end; all before it can be used"
            ),
            (
                .malformed(.byteOrder(0xfe), at: 48),
                "damaged at byte 48: no byte order is written as 0xfe; all before it can be used"
            ),
        ] as [(CaptureFileError, String)]
    )
    func text(error: CaptureFileError, text: String) {
        #expect("\(error)" == text)
    }

    @Test("Gives the offset of what could not be read")
    func offset() {
        #expect(CaptureFileError.notCapture([]).offset == 0)
        #expect(CaptureFileError.truncated(needed: 60, available: 12, at: 100).offset == 100)
        #expect(CaptureFileError.malformed(.blockLength(1), at: 7).offset == 7)
    }
}
