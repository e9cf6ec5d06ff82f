import Glibc
import WeirWire

/// A thread that reads a file ahead while earlier bytes are decoded.
///
/// For files that end: `deinit` waits for the thread, which ends at the latest after the current read.
final class ReadAhead: @unchecked Sendable {
    /// The number of bytes read at once.
    static let pieceSize = 256 << 10
    /// The room before each piece for the unread bytes of the one before it, in bytes; most packets fit.
    private static let headroom = 128 << 10
    /// The number of pieces read ahead, besides the one that is being decoded.
    ///
    /// There are several, so that neither side waits for the other at each piece if the scheduler is busy.
    private static let count = 8

    /// A piece; only the side that has passed the semaphore for it may touch it.
    private struct Piece: ~Copyable {
        var buffer = ByteBuffer(capacity: ReadAhead.headroom + ReadAhead.pieceSize)
        var count = 0
        var failure: CaptureFailure?
    }

    private let descriptor: Int32
    private let path: String
    private let pieces = UnsafeMutablePointer<Piece>.allocate(capacity: ReadAhead.count)
    private let empty = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let full = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let isEnded = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private var thread = pthread_t()
    private var isRunning = false
    private var next = 0
    private var isAtEnd = false

    /// Starts to read at the descriptor's position; nil if no thread can be created.
    ///
    /// - Parameters:
    ///   - descriptor: The file; a copy of the descriptor is read, so the original may be closed earlier.
    ///   - path: The path for errors.
    init?(_ descriptor: Int32, path: String) {
        self.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        self.path = path
        for index in 0..<Self.count { (pieces + index).initialize(to: Piece()) }
        sem_init(empty, 0, UInt32(Self.count))
        sem_init(full, 0, 0)
        sem_init(isEnded, 0, 0)
        guard self.descriptor >= 0 else { return nil }
        let context = Unmanaged.passUnretained(self).toOpaque()
        // The context outlives the thread: `deinit` waits for it.
        let status = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ReadAhead>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.fill() }
                return nil
            },
            context
        )
        isRunning = status == 0
        // `deinit` runs in this case, too.
        if !isRunning { return nil }
    }

    deinit {
        if isRunning {
            sem_post(isEnded)
            sem_post(empty)
            pthread_join(thread, nil)
        }
        if descriptor >= 0 { close(descriptor) }
        for semaphore in [empty, full, isEnded] {
            sem_destroy(semaphore)
            semaphore.deallocate()
        }
        pieces.deinitialize(count: Self.count)
        pieces.deallocate()
    }

    /// Appends the next piece to a stream, and returns its size in bytes: 0 at the end.
    func append(to stream: inout CaptureStream) throws(CaptureFailure) -> Int {
        if isAtEnd { return 0 }
        Self.wait(full)
        let piece = pieces + next
        next = (next + 1) % Self.count
        let (count, failure) = (piece.pointee.count, piece.pointee.failure)
        if count > 0 {
            stream.exchange(&piece.pointee.buffer)
            sem_post(empty)
        } else {
            isAtEnd = true
        }
        if let failure { throw failure }
        return count
    }

    /// Fills one piece after another until the file ends, or no more are wanted.
    private func fill() {
        var index = 0
        while true {
            Self.wait(empty)
            if sem_trywait(isEnded) == 0 { return }
            let piece = pieces + index
            index = (index + 1) % Self.count
            piece.pointee.buffer.removeAll(headroom: Self.headroom)
            do throws(CaptureFailure) {
                piece.pointee.count = try piece.pointee.buffer.append(upTo: Self.pieceSize) {
                    room throws(CaptureFailure) in
                    try CaptureFile.read(descriptor, path, room)
                }
            } catch {
                piece.pointee.count = 0
                piece.pointee.failure = error
            }
            let isLast = piece.pointee.count == 0
            sem_post(full)
            if isLast { return }
        }
    }

    private static func wait(_ semaphore: UnsafeMutablePointer<sem_t>) {
        while sem_wait(semaphore) != 0, errno == EINTR {}
    }
}
