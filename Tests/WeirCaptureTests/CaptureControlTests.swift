import Glibc
import Testing

@testable import WeirCapture

@Suite("Capture control")
struct CaptureControlTests {
    private func isReadable(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    @Test("An order only gets more urgent, and rings when it does")
    func orders() {
        let control = CaptureControl()
        #expect(control.order == .goOn && !isReadable(control.signal))
        control.endWhenQuiet()
        #expect(control.order == .endWhenQuiet && isReadable(control.signal))
        control.clear()
        #expect(control.order == .endWhenQuiet && !isReadable(control.signal))
        control.endWhenQuiet()
        #expect(control.order == .endWhenQuiet && !isReadable(control.signal))
        control.end()
        #expect(control.order == .end && isReadable(control.signal))
        control.clear()
        control.endWhenQuiet()
        control.end()
        #expect(control.order == .end && !isReadable(control.signal))
        #expect(CaptureControl.Order.goOn < .endWhenQuiet && CaptureControl.Order.endWhenQuiet < .end)
    }

    @Test("The bell is passed on to no program, and never waits")
    func bell() {
        let control = CaptureControl()
        #expect(fcntl(control.signal, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(control.signal, F_GETFL) & O_NONBLOCK != 0)
        var byte: UInt8 = 0
        #expect(read(control.signal, &byte, 1) == -1 && errno == EAGAIN)
    }

    @Test("Both ends of the bell go with the control")
    func ends() throws {
        var target = [UInt8](repeating: 0, count: 256)
        var pipe = ""
        do {
            let control = CaptureControl()
            let count = readlink("/proc/self/fd/\(control.signal)", &target, target.count)
            try #require(count > 0)
            pipe = String(decoding: target[..<count], as: UTF8.self)
            #expect(descriptorTargets().count { $0 == pipe } == 2)
            withExtendedLifetime(control) {}
        }
        #expect(descriptorTargets().count { $0 == pipe } == 0)
    }
}
