import Testing

@testable import WeirCapture

@Suite("Capture counters")
struct CaptureCountersTests {
    @Test("A counter of 32 bits goes on where it wraps around")
    func wraps() {
        var counter = WideCounter()
        for value: UInt32 in [5, .max - 1, 3, 3, 1] { counter.update(value) }
        #expect(counter.total == 0x1_0000_0000 * 2 + 1)
    }

    @Test("A capture that begins has counted nothing")
    func beginning() {
        let progress = CaptureProgress(began: 5)
        #expect(progress.packets == 0 && progress.began == 5 && progress.now == 5)
        #expect(progress.counters.received == 0 && progress.counters.dropped == 0)
        #expect(progress.counters.droppedByInterface == 0 && WideCounter().total == 0)
    }
}
