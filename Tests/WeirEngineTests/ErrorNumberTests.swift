import Glibc
import Testing
import WeirEngine

@Suite("Error numbers")
struct ErrorNumberTests {
    @Test("Print their meaning and their name, known or not")
    func printing() {
        #expect("\(ErrorNumber.connectionRefused)" == "connection refused (ECONNREFUSED)")
        #expect("\(ErrorNumber(999))" == "an error of the system (errno 999)")
    }

    @Test("Are the system's own")
    func system() {
        #expect(ErrorNumber.connectionRefused.rawValue == ECONNREFUSED)
        #expect(ErrorNumber.connectionReset.rawValue == ECONNRESET)
        #expect(ErrorNumber.timedOut.rawValue == ETIMEDOUT)
        #expect(ErrorNumber.nameNotResolved.rawValue == EAI_NONAME)
        let names: [(Int32, String)] = [
            (EPERM, "EPERM"), (ENOENT, "ENOENT"), (EBADF, "EBADF"), (EAGAIN, "EAGAIN"), (EMFILE, "EMFILE"),
            (ENFILE, "ENFILE"), (EPIPE, "EPIPE"), (EMSGSIZE, "EMSGSIZE"), (EADDRINUSE, "EADDRINUSE"),
            (ENETUNREACH, "ENETUNREACH"), (EHOSTUNREACH, "EHOSTUNREACH"), (ENOBUFS, "ENOBUFS"), (EACCES, "EACCES"),
            (ERANGE, "ERANGE"), (ENXIO, "ENXIO"), (EBUSY, "EBUSY"), (ENODEV, "ENODEV"), (EFBIG, "EFBIG"),
            (ESPIPE, "ESPIPE"),
            (ENAMETOOLONG, "ENAMETOOLONG"), (ENOSYS, "ENOSYS"), (ELOOP, "ELOOP"), (EPROTO, "EPROTO"),
            (ENOPROTOOPT, "ENOPROTOOPT"), (EPROTONOSUPPORT, "EPROTONOSUPPORT"), (EOPNOTSUPP, "EOPNOTSUPP"),
            (EISCONN, "EISCONN"), (ESHUTDOWN, "ESHUTDOWN"), (EALREADY, "EALREADY"), (EINPROGRESS, "EINPROGRESS"),
            (EDQUOT, "EDQUOT"), (ECANCELED, "ECANCELED"),
        ]
        for (number, name) in names { #expect(ErrorNumber(number).name == name) }
    }
}
