import ArgumentParser
import Testing
import WeirCapture
import WeirEngine
import WeirRelay

@testable import weir

@Suite("The options of weir capture")
struct CaptureCommandTests {
    @Test(
        "Options that exclude or need each other are refused with the reason",
        arguments: [
            ([], nil), (["-c", "1"], nil), (["-c", "0"], "--count takes a number from 1."),
            (["--duration", "1ms"], nil), (["--duration", "0"], "--duration takes a time above 0."),
            (["--format", "pcap"], "--format and --rotate-... need --write PATH."),
            (["--rotate-size", "1M"], "--format and --rotate-... need --write PATH."),
            (["-w", "x", "--format", "pcap", "--rotate-size", "1M"], nil),
            (["-w", "-", "--rotate-size", "1M"], "--write - is one stream: --rotate-... needs a PATH."),
            (["-w", "x", "--show", "hex"], nil), (["--show", "summary"], nil),
        ] as [([String], String?)]
    )
    func refuses(arguments: [String], reason: String?) {
        #expect(refusal(CaptureCommand.self, arguments) == reason)
    }

    @Test("A progress is told with its packets and its losses")
    func summary() {
        var progress = CaptureProgress(began: 0)
        #expect(progress.summary == "0 packets captured, 0 dropped by the kernel")
        progress.packets = 1
        #expect(progress.summary == "1 packet captured, 0 dropped by the kernel")
        progress.packets = 2
        progress.counters.dropped = 3
        #expect(progress.summary == "2 packets captured, 3 dropped by the kernel")
        progress.counters.droppedByInterface = 1
        #expect(progress.summary == "2 packets captured, 3 dropped by the kernel, 1 by the interface")
    }

    @Test("On a terminal the progress is shown once a second, and cleared if it was shown")
    func status() throws {
        #expect(CaptureStatus(isOnTerminal: false) == nil)
        var status = try #require(CaptureStatus(isOnTerminal: true))
        #expect(status.endText == nil)
        var progress = CaptureProgress(began: 0)
        progress.now = 5_000_000_000
        let text = "\r0 packets captured, 0 dropped by the kernel\u{1b}[K"
        #expect(status.text(progress) == text && status.endText == "\r\u{1b}[K")
        progress.now = 5_999_999_999
        #expect(status.text(progress) == nil)
        progress.now = 6_000_000_000
        #expect(status.text(progress) == text && status.text(progress) == nil)
    }

    @Test(
        "A capture ends with 0 unless it or its output failed; a reader that has gone is no failure",
        arguments: [
            (nil, nil, 0), (CaptureError.interfaceGone("lo", words: "x"), nil, 69), (nil, 32, 0),
            (nil, 28, 74), (CaptureError.interfaceGone("lo", words: "x"), 28, 74),
        ] as [(CaptureError?, Int32?, Int32)]
    )
    func outcomes(failure: CaptureError?, error: Int32?, status: Int32) {
        let output = error.map { SystemError("write to x", ErrorNumber($0)) }
        let outcome = CaptureRun.Outcome(
            progress: CaptureProgress(began: 0),
            failure: failure,
            outputFailure: output
        )
        #expect(outcome.status.rawValue == status)
    }
}
