#include "textflag.h"

// Positions of the bytes of eight 6-mers in the 16 bytes that hold them, each as a big-endian number.
DATA kmerBytes<>+0x00(SB)/8, $0x8080000102030405
DATA kmerBytes<>+0x08(SB)/8, $0x8080010203040506
DATA kmerBytes<>+0x10(SB)/8, $0x8080020304050607
DATA kmerBytes<>+0x18(SB)/8, $0x8080030405060708
DATA kmerBytes<>+0x20(SB)/8, $0x8080040506070809
DATA kmerBytes<>+0x28(SB)/8, $0x808005060708090a
DATA kmerBytes<>+0x30(SB)/8, $0x8080060708090a0b
DATA kmerBytes<>+0x38(SB)/8, $0x80800708090a0b0c
GLOBL kmerBytes<>(SB), RODATA|NOPTR, $64

// The two halves of orderMul below 2^48, kmerMask and the sign bit.
DATA orderConst<>+0x00(SB)/8, $0x000000007f4a7c15
DATA orderConst<>+0x08(SB)/8, $0x00000000000079b9
DATA orderConst<>+0x10(SB)/8, $0x0000ffffffffffff
DATA orderConst<>+0x18(SB)/8, $0x8000000000000000
GLOBL orderConst<>(SB), RODATA|NOPTR, $32

// orderMul.
DATA fullMul<>+0x00(SB)/8, $0x9e3779b97f4a7c15
GLOBL fullMul<>(SB), RODATA|NOPTR, $8

// 'A', 25, the bit of lower case, '0' and 9, 16 times each.
DATA byteConst<>+0x00(SB)/8, $0x4141414141414141
DATA byteConst<>+0x08(SB)/8, $0x4141414141414141
DATA byteConst<>+0x10(SB)/8, $0x1919191919191919
DATA byteConst<>+0x18(SB)/8, $0x1919191919191919
DATA byteConst<>+0x20(SB)/8, $0x2020202020202020
DATA byteConst<>+0x28(SB)/8, $0x2020202020202020
DATA byteConst<>+0x30(SB)/8, $0x3030303030303030
DATA byteConst<>+0x38(SB)/8, $0x3030303030303030
DATA byteConst<>+0x40(SB)/8, $0x0909090909090909
DATA byteConst<>+0x48(SB)/8, $0x0909090909090909
GLOBL byteConst<>(SB), RODATA|NOPTR, $80

// ORDER writes the orders of four 6-mers: at shuffles the bytes in Y0 (lower case) and Y1 (digits).
#define ORDER(shuffle, at) \
	VPSHUFB  shuffle, Y0, Y2  \
	VPSHUFB  shuffle, Y1, Y3  \
	VPCMPEQQ Y15, Y3, Y3      \
	VPAND    Y14, Y3, Y3      \
	VPSRLQ   $32, Y2, Y4      \
	VPMULUDQ Y11, Y2, Y5      \
	VPMULUDQ Y12, Y2, Y6      \
	VPMULUDQ Y11, Y4, Y4      \
	VPADDQ   Y4, Y6, Y6       \
	VPSLLQ   $32, Y6, Y6      \
	VPADDQ   Y6, Y5, Y5       \
	VPAND    Y13, Y5, Y5      \
	VPOR     Y3, Y5, Y5       \
	VMOVDQU  Y5, at

// func ordersAVX2(orders *uint64, text *byte, n int)
TEXT ·ordersAVX2(SB), NOSPLIT, $0-24
	MOVQ         orders+0(FP), DI
	MOVQ         text+8(FP), SI
	MOVQ         n+16(FP), CX
	VMOVDQU      kmerBytes<>+0(SB), Y9
	VMOVDQU      kmerBytes<>+32(SB), Y10
	VPBROADCASTQ orderConst<>+0(SB), Y11
	VPBROADCASTQ orderConst<>+8(SB), Y12
	VPBROADCASTQ orderConst<>+16(SB), Y13
	VPBROADCASTQ orderConst<>+24(SB), Y14
	VPXOR        Y15, Y15, Y15

orders:
	VMOVDQU     (SI), X0
	VPSUBB      byteConst<>+0(SB), X0, X1
	VPMINUB     byteConst<>+16(SB), X1, X2
	VPCMPEQB    X1, X2, X1
	VPAND       byteConst<>+32(SB), X1, X1
	VPSUBB      byteConst<>+48(SB), X0, X2
	VPADDB      X1, X0, X0
	VPMINUB     byteConst<>+64(SB), X2, X3
	VPCMPEQB    X2, X3, X1
	VINSERTI128 $1, X0, Y0, Y0
	VINSERTI128 $1, X1, Y1, Y1
	ORDER(Y9, 0(DI))
	ORDER(Y10, 32(DI))
	ADDQ        $8, SI
	ADDQ        $64, DI
	SUBQ        $8, CX
	JG          orders
	VZEROUPPER
	RET

// MIN leaves the lesser of x and y in x.
#define MIN(y, x) \
	VPCMPGTQ  y, x, Y15     \
	VBLENDVPD Y15, y, x, x

// func leastAVX2(least, orders *uint64, windows int, packing *[16][8]uint32) (kept int)
TEXT ·leastAVX2(SB), NOSPLIT, $0-40
	MOVQ orders+8(FP), SI
	MOVQ windows+16(FP), CX
	ADDQ $7, CX

	// The least of every four consecutive orders takes the place of the first.
fours:
	VMOVDQU (SI), Y0
	VMOVDQU 8(SI), Y1
	VMOVDQU 16(SI), Y2
	VMOVDQU 24(SI), Y3
	MIN(Y1, Y0)
	MIN(Y3, Y2)
	MIN(Y2, Y0)
	VMOVDQU Y0, (SI)
	ADDQ    $32, SI
	SUBQ    $4, CX
	JG      fours

	// Of eleven: those at 0, 4 and 7. What differs from the one before is kept.
	MOVQ         least+0(FP), DI
	MOVQ         orders+8(FP), SI
	MOVQ         windows+16(FP), CX
	MOVQ         packing+24(FP), R8
	VPBROADCASTQ orderConst<>+24(SB), Y14
	VPCMPEQQ     Y4, Y4, Y4

elevens:
	VMOVDQU    (SI), Y0
	VMOVDQU    32(SI), Y1
	VMOVDQU    56(SI), Y2
	MIN(Y1, Y0)
	MIN(Y2, Y0)
	VPERM2I128 $0x21, Y0, Y4, Y1
	VPALIGNR   $8, Y1, Y0, Y1
	VMOVDQA    Y0, Y4
	VPCMPEQQ   Y0, Y1, Y1
	VMOVMSKPD  Y1, AX
	XORL       $15, AX
	CMPQ       CX, $4
	JGE        pack
	MOVL       $1, DX
	SHLL       CX, DX
	DECL       DX
	ANDL       DX, AX

pack:
	MOVQ    AX, BX
	SHLQ    $5, BX
	VMOVDQU (R8)(BX*1), Y1
	VPXOR   Y14, Y0, Y0
	VPERMD  Y0, Y1, Y0
	VMOVDQU Y0, (DI)
	POPCNTL AX, AX
	LEAQ    (DI)(AX*8), DI
	ADDQ    $32, SI
	SUBQ    $4, CX
	JG      elevens
	SUBQ    least+0(FP), DI
	SHRQ    $3, DI
	MOVQ    DI, kept+32(FP)
	VZEROUPPER
	RET

// func ordersAVX512(orders *uint64, text *byte, n int)
TEXT ·ordersAVX512(SB), NOSPLIT, $0-24
	MOVQ         orders+0(FP), DI
	MOVQ         text+8(FP), SI
	MOVQ         n+16(FP), CX
	VMOVDQU      kmerBytes<>+0(SB), Y10
	VMOVDQU      kmerBytes<>+32(SB), Y11
	VINSERTI64X4 $1, Y11, Z10, Z10
	VPBROADCASTQ fullMul<>+0(SB), Z11
	VPBROADCASTQ orderConst<>+16(SB), Z12
	VPBROADCASTQ orderConst<>+24(SB), Z13
	VPBROADCASTQ byteConst<>+0(SB), Z14
	VPBROADCASTQ byteConst<>+16(SB), Z15
	VPBROADCASTQ byteConst<>+32(SB), Z16
	VPBROADCASTQ byteConst<>+48(SB), Z17
	VPBROADCASTQ byteConst<>+64(SB), Z18

orders:
	VBROADCASTI32X4 (SI), Z0
	VPSUBB          Z17, Z0, Z1
	VPCMPUB         $2, Z18, Z1, K1
	VPMOVM2B        K1, Z1
	VPSUBB          Z14, Z0, Z2
	VPCMPUB         $2, Z15, Z2, K2
	VPADDB          Z16, Z0, K2, Z0
	VPSHUFB         Z10, Z0, Z2
	VPSHUFB         Z10, Z1, Z3
	VPTESTMQ        Z3, Z3, K3
	VPMULLQ         Z11, Z2, Z2
	VPANDQ          Z12, Z2, Z2
	VPORQ           Z13, Z2, K3, Z2
	VMOVDQU64       Z2, (DI)
	ADDQ            $8, SI
	ADDQ            $64, DI
	SUBQ            $8, CX
	JG              orders
	VZEROUPPER
	RET

// func leastAVX512(least, orders *uint64, windows int) (kept int)
TEXT ·leastAVX512(SB), NOSPLIT, $0-32
	MOVQ orders+8(FP), SI
	MOVQ windows+16(FP), CX
	ADDQ $7, CX

	// The least of every four consecutive orders takes the place of the first.
fours:
	VMOVDQU64 (SI), Z0
	VPMINUQ   8(SI), Z0, Z0
	VMOVDQU64 16(SI), Z1
	VPMINUQ   24(SI), Z1, Z1
	VPMINUQ   Z1, Z0, Z0
	VMOVDQU64 Z0, (SI)
	ADDQ      $64, SI
	SUBQ      $8, CX
	JG        fours

	// Of eleven: those at 0, 4 and 7. What differs from the one before is kept.
	MOVQ       least+0(FP), DI
	MOVQ       orders+8(FP), SI
	MOVQ       windows+16(FP), CX
	VPTERNLOGQ $255, Z4, Z4, Z4

elevens:
	VMOVDQU64   (SI), Z0
	VPMINUQ     32(SI), Z0, Z0
	VPMINUQ     56(SI), Z0, Z0
	VALIGNQ     $7, Z4, Z0, Z1
	VMOVDQA64   Z0, Z4
	VPCMPUQ     $4, Z1, Z0, K1
	KMOVB       K1, AX
	CMPQ        CX, $8
	JGE         pack
	MOVL        $1, DX
	SHLL        CX, DX
	DECL        DX
	ANDL        DX, AX
	KMOVB       AX, K1

pack:
	VPCOMPRESSQ Z0, K1, Z2
	VMOVDQU64   Z2, (DI)
	POPCNTL     AX, AX
	LEAQ        (DI)(AX*8), DI
	ADDQ        $64, SI
	SUBQ        $8, CX
	JG          elevens
	SUBQ        least+0(FP), DI
	SHRQ        $3, DI
	MOVQ        DI, kept+24(FP)
	VZEROUPPER
	RET
