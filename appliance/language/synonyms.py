"""What customers of any small business ask about, and the everyday words for it: "endereço" is also "como chegar".

A concept has a name and its phrases per language, folded; `agend*` stands for every word that begins so. Silent words
(articles, pronouns) between a phrase's words do not matter. Pure, linear in the number of words.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from appliance.model import Language

MAX_TERMS = 16  # search terms of one concept: a question has few concepts, the store few topics
SEARCHED = 5  # letters of a phrase's longest word that full-text search is given

ABSORBED = {"cancel": "booking"}  # "cancel my appointment" is about the first, not about both
# Asked of any business: found they count, but "quanto custa um carro?" is about the car.
TELLING = frozenset(("address", "hours"))
PRICE = "price"
WEAK = TELLING | {PRICE, "duration"}  # a price or a time in a topic's text says nothing alone: most topics hold some

_CONCEPTS: dict[Language, dict[str, str]] = {
    "pt-BR": {
        "address": """endereco*, enderes*, localiza*, onde fica*, onde esta*, onde sao, onde e, onde encontr*, como
            cheg*, como faco cheg*, como ir, como vou, que bairro, qual bairro, que rua, qual rua, ponto referencia,
            perto, mapa""",
        "price": """preco*, valor, valores, quanto, quanto e, quanto esta, quanto custa*, quanto fica*, quanto sai*,
            quanto cobra*, quanto vale, custa, custam, custo, tarifa*, tabela precos, tabela valores, cobra, cobram,
            paga, gratis, gratuit*, graca, caro, barato""",
        "duration": "quanto tempo, quantos dias, quantas horas, demora*, dura, duracao, prazo*",
        "hours": """horario*, que hora*, ate que hora*, ate quando, que dias, quais dias, horario atendimento, horario
            funcionamento, abre, abrem, abrir, abrimos, abert*, abertura, fecha, fecham, fechar, fechamos, fechad*,
            expediente, funcionamento""",
        "payment": """pagament*, pagar, pago, pagam, forma pagamento, formas pagamento, cartao, cartoes, cartao credito,
            cartao debito, credito, debito, pix, dinheiro, parcel*, quantas vezes, boleto*, cheque*, vista, vale
            refeicao, vale alimentacao, maquininha, divid*, fiado, visa, mastercard, amex""",
        "delivery": """entreg*, taxa entrega, frete*, envio*, enviar, enviam, delivery, domicilio, motoboy, sedex,
            transportadora, correio*, levar casa, leva casa, levam casa,
            levam ate casa, levar ate casa, mandam casa, trazem casa, trazem aqui""",
        "pickup": "retir*, busc*, pegar, pegar loja, pegar balcao",
        "order": "encomend*, fazer pedido, faco pedido, fazer encomenda, faco encomenda, pedir",
        "booking": """agend*, marcar, marco, marcacao, reserv*, marcar horario, marcar hora, agendar horario, agendar
            hora, agendar consulta, marcar consulta, reservar horario, hora marcada, horario livre, horario vago,
            horario disponivel, tem horario, algum horario, vaga hoje, vaga amanha, consulta, consultas""",
        "cancel": """cancel*, desmarc*, remarc*, reagend*, adiar, adiamento, desist*, atras*, faltar, faltas,
            mudar dia, mudar data, mudar horario, mudar hora, trocar dia, trocar data, trocar horario, trocar
            hora, alterar dia, alterar data, alterar horario, nao vou poder, nao posso ir, nao consigo ir, nao
            puder vir, nao vou conseguir, nao vamos conseguir, nao vamos poder, imprevisto""",
        "exchange": "troc*, devol*, reembols*, estorn*, reclama*, defeito*, estragad*, veio estragad*, veio errad*",
        "phone": """telefon*, fone, celular, whatsapp, contato*, ligar, ligo, ligac*, fale conosco, numero telefone,
            numero contato, numero whatsapp, qual numero""",
        "email": "email*, e mail, e mails, correio eletronico",
        "parking": """estaciona*, parar carro, parar moto, deix* carro, deix* moto, vaga carro, vagas carro, vaga para
            carro, vagas para carro*, onde parar, onde fica* carro*, garagem, garagens, manobrista*, valet""",
        "menu": """cardapio*, menu, catalogo*, portfolio, que vendem, que fazem, que oferecem, que produtos, quais
            produtos, que servicos, quais servicos, lista produtos, lista servicos, servicos""",
        "children": """crianca*, infantil, infantis, bebe, bebes, menino*, menina*, filho*, filha*, kids, pediatr*,
            odontopediatr*, brinquedoteca, fraldario, menor idade, menores idade""",
        "pets": "cachorr*, cao, caes, gato, gatos, gata, gatas, pet, pets, animal, animais, bicho*",
        "access": """acessibilidade, acessive*, acesso, cadeirante*, cadeira rodas, rampa*, elevador*, deficien*,
            mobilidade reduzida""",
        "wifi": "wifi, wi fi, internet, senha wifi, senha wi fi, senha internet",
        "holidays": "feriado*, natal, ano novo, reveillon, carnaval, pascoa, finados, corpus christi",
        "vegan": "vegan*, vegetarian*, sem carne",
        "gluten": "gluten, sem gluten, celiac*",
        "lactose": "lactose, sem lactose, sem leite, zero lactose",
        "allergy": "alergi*, alergen*, intoleran*",
        "gift": "presente*, presentear, vale presente*, cartao presente, gift card, para presente",
        "discount": "descont*, promoc*, cupom desconto, cupons desconto, mais barato",
        "job": """emprego*, contratando, contratam, contratac*, curricul*, trabalhe conosco, trabalhe com, trabalhar
            com, trabalhar ai, trabalhar aqui, vaga emprego, vagas emprego, vaga trabalho, vaga aberta, vagas abertas,
            estagio, processo seletivo""",
        "insurance": "convenio*, plano saude, planos saude, plano odontologico, plano dental, plano, planos",
        "invoice": "nota fiscal, notas fiscais, nfe, cupom fiscal, recibo*",
        "urgent": "urgen*, emergenc*, socorro, mesmo dia, express*, rapidinho, pressa",
    },
    "en": {
        "address": """address*, adress*, addres, location*, located, whereabouts, where abouts, postcode, where are,
            where is, where find, find us, get there, directions, how reach, street, map""",
        "price": """price*, pricing, how much, cost, costs, rate, rates, fee, fees, charge, charges, tariff*, value,
            free, cheap, cheapest, expensive, quote, quotes""",
        "duration": "how long, how many days, how many hours, duration, take long, how soon, how quick*",
        "hours": """hour, hours, opening, opening times, opening hours, open, opens, close, closes, closed, closing,
            until when, till when, what time, until what time, till what time, shut, shuts, schedule""",
        "payment": """pay, paying, payment*, card, cards, credit card*, debit card*, cash, cheque*, check, checks,
            instalment*, installment*, amex, visa, mastercard, debit, pay monthly, apple pay, google pay, paypal,
            contactless""",
        "delivery": "deliver*, ship, ships, shipping, shipped, freight, home delivery, courier, postage, by post",
        "order": "order, orders, ordering, place order, make order, custom order*",
        "pickup": "pick up, pickup, collect, collection, take away, takeaway, takeout, take out",
        "booking": """book, booking*, appointment*, reserv*, schedule appointment, schedule visit, book appointment,
            make appointment, time slot, slot, slots""",
        "cancel": """cancel*, reschedul*, postpone*, no show, no shows, late, change appointment, change booking,
            change date, change day, move appointment, can t come, can t make, won t be able, wont be able, not
            able come, something came up, cant come, cant make it, move appt""",
        "exchange": """return, returns, returning, refund*, exchange*, money back, complain*, faulty, broken, damage*,
            ruined, torn, wrong""",
        "phone": "phone*, telephone*, call, whatsapp, contact*, phone number, get in touch",
        "email": "email*, e mail",
        "parking": "park, parking, leave car, car park, garage, valet",
        "menu": "menu, catalog*, what sell, what offer, services, what services, what products, product list",
        "children": """child*, kid, kids, baby, babies, toddler*, stroller*, son, daughter, sons, daughters, boy, girl,
            year old, under 18*""",
        "pets": "pet, pets, dog, dogs, cat, cats, animal*, puppy, puppies, pet friendly",
        "access": "accessib*, wheelchair*, ramp, ramps, elevator*, lift, disab*",
        "wifi": "wifi, wi fi, internet, wifi password, wi fi password",
        "holidays": "holiday*, christmas, new year*, easter, thanksgiving, bank holiday*",
        "vegan": "vegan*, vegetarian*, plant based, meatless",
        "gluten": "gluten, gluten free, coeliac*, celiac*",
        "lactose": "lactose, lactose free, dairy, dairy free, milk free",
        "allergy": "allerg*, intoleran*",
        "gift": "gift*, gift card*, gift voucher*, voucher*, present, presents",
        "discount": "discount*, promotion*, promo, deal, deals, special offer*, coupon*, cheaper",
        "job": """job, jobs, hiring, vacanc*, recruit*, apprentice*, employment, career*, work with, resume, cv, join
            our team""",
        "insurance": "insurance*, insurer*, health plan*, dental plan*",
        "invoice": "invoice*, receipt*, tax receipt",
        "urgent": "urgent*, emergenc*, asap, straight away, same day",
    },
    "es": {
        "address": """direccion*, ubica*, localiza*, donde esta*, donde queda*, donde se encuentra*, donde encontr*,
            como lleg*, como ir, como voy, que barrio, que calle, donde es, cerca, mapa""",
        "price": """precio*, cuanto, cuanto cuesta*, cuanto vale*, cuanto sale*, cuanto es, cuesta, cuestan, costo,
            coste, tarifa*, valor, cobran, cobrais, gratis, gratuit*, barato, caro""",
        "duration": "cuanto tiempo, cuantos dias, cuantas horas, cuanto tarda*, cuanto demora*, demora*, plazo*",
        "hours": """horario*, que hora*, hasta que hora*, hasta cuando, que dias, abre, abren, abrir, abrimos, abiert*,
            apertura, cierra, cierran, cerrar, cerramos, cerrad*, cierre""",
        "payment": """pago*, pagar, paga, medio* pago, forma* pago, tarjeta*, tarjeta credito, tarjeta debito, efectivo,
            transferencia, cuotas, cheque*, bizum, visa, mastercard, contado, plazos""",
        "delivery": """envio*, envian, enviar, entreg*, reparto*, reparten, domicilio, delivery, flete*, correos,
            mensajeria, mandan casa, llevan casa""",
        "order": "encarg*, hacer pedido, hago pedido, pedir",
        "pickup": "retir*, recog*, recojo, pasar buscar",
        "booking": """cita, citas, turno*, reserv*, agend*, pedir cita, pedir turno, sacar turno, reservar cita,
            reservar turno""",
        "cancel": """cancel*, anular, anulac*, reprogram*, aplaz*, posponer, cambiar cita, cambiar turno, cambiar
            dia, cambiar fecha, cambiar hora, cambio* cita, cambio* turno, llegar tarde, no puedo ir, no podemos
            ir, no voy poder, no vamos poder, no podre, no podremos""",
        "exchange": """devol*, devuel*, cambi*, reembols*, reclam*, defectuos*, fallad*, roto, rota, rotos, rotas,
            danad*, estrope*""",
        "phone": "telefono*, celular, movil, whatsapp, contact*, llamar, llame, numero telefono, que numero",
        "email": "email*, e mail, correo electronico, correo",
        "parking": "estaciona*, aparca*, parking, parqueadero*, cochera*, garaje, dej* coche, dej* carro, dej* auto",
        "menu": "menu, carta, catalogo*, que venden, que ofrecen, que productos, que servicios, servicios",
        "children": "nino*, nina*, infantil*, bebe, bebes, hijo*, hija*, peque, peques, chiquit*, crio, crios",
        "pets": "mascota*, perro*, perra*, gato, gatos, gata, gatas, animal*",
        "access": "accesib*, acceso, silla ruedas, rampa*, ascensor*, elevador*, discapa*",
        "wifi": "wifi, wi fi, internet, clave wifi, contrasena wifi",
        "holidays": "feriado*, festivo*, navidad, ano nuevo, semana santa, pascua",
        "vegan": "vegan*, vegetarian*, sin carne",
        "gluten": "gluten, sin gluten, celiac*",
        "lactose": "lactosa, sin lactosa, sin leche",
        "allergy": "alergi*, alergen*, intoleran*",
        "gift": "regalo*, regalar, tarjeta regalo, tarjetas regalo, vale regalo, para regalo",
        "discount": "descuento*, promoc*, oferta*, rebaja*, mas barato",
        "job": """empleo*, busca* gente, busca* personal, contratando, contratan, contratac*, curricul*, vacante*,
            trabajar con, trabaja con, trabajo""",
        "insurance": "seguro medico, seguros medicos, obra social, obras sociales, prepaga*, mutua*",
        "invoice": "factura*, recibo*, boleta*",
        "urgent": "urgen*, emergenc*, mismo dia, expres*, prisa",
    },
}
# Any business may be asked with these: they count where a topic holds them and are not missed where it does not.
_WEAK_TEXTS: dict[Language, str] = {
    "pt-BR": """
        aceita aceitam aceito agora amanha amiga amigo ano anos atende atendem atender avisar avo cada casal cedo chega
        chegar cliente clientes cobrado coloca colocam colocar comeca comecam comer comprar comprei compro conhecer
        custa custam custaria deixa deixar deixo dias disponivel dois domingo duas emite emitem emitir empresa esposa
        esposo estabelecimento existe existem falar familia faria fariam faz fazem fazendo fazer fez fica ficam ficar
        ficaria ficou filial fim final fizeram funciona funcionam gasta grande grandes hoje hora horas inteiro item
        itens leva levam levar levo loja lugar madrugada mae mandam manha marido maximo mercadoria mes meses mesma mesmo
        minimo minuto minutos moro namorada namorado noite nova novas novo novos numero oferece oferecem olhar ontem pai
        passado pequena pequeno pessoa pessoas podendo precisando preco precos problema produto produtos pronta prontas
        pronto prontos proxima proximo quarta querendo quinta realiza realizam sabado sai segunda semana semanas servico
        servicos sexta sozinho tarde terca tira tiram tirar tomar trabalha trabalham traz trazer tres usa usam usando
        usar valor valores vende vendem vender vez vezes vi
        """,
    "en": """
        accept accepts afternoon ago available big bought buy buying cost costs couple customer customers dad day days
        different early evening extra family first folks friday fridays friend friends help house husband item items
        lady large last latest leave leaves leaving make man maximum mine minimum minute minutes mom monday mondays
        month months morning mum mums name nearest new night nights number numbers offer old option options partner
        people person place ppl price prices product products provide quick ready saturday saturdays sell selling sells
        service shop size small sold somewhat start starts stock store stuff sunday sundays take taken takes taking
        thursday thursdays time times today tomorrow tonight tuesday tuesdays two type types use used wednesday
        wednesdays week weekdays weekend weekends weeks wife woman work working works year years yesterday
        """,
    "es": """
        abuela abuelo acepta aceptais aceptan aceptar ahora amiga amigo amigos ano anos articulo articulos ayer buscais
        buscan busco cliente clientes comienza comprado comprais comprar compre compro cuesta cuestan dejan dejar dejo
        dias disponible disponibles domingo dos empieza empiezan empresa existe familia fin grande grandes gusta gustan
        hombre hora horas hoy importe jefe jueves lado lista listo llego lleva llevais llevan llevar llevo lugar lunes
        madre madrugada manana marido martes maxima maximo mejor mes meses miercoles minima minimo minuto minutos mujer
        necesita noche noches nombre novia novio nueva nuevas nuevo nuevos numero ofreceis ofrecen opcion opciones padre
        padres pareja pasado pequena pequeno persona personas pone ponen precio precios producto productos proxima
        proximo sabado semana senor senora senores servicio servis sirve sirven sitio tarde tardes tienda trabajais
        trabajan traen traer traigo tres unidad usais usan usar uso vale veces vende vendeis venden vender vendo vengo
        venir viene vienen viernes
        """,
}
_SILENT_TEXTS: dict[Language, str] = {
    "pt-BR": "a o as os um uma de do da dos das voce voces eu meu minha meus minhas seu sua no na para",
    "en": "the a an i we you your my our do does can could of for to",
    "es": "el la los las un una de del yo mi mis su sus tu tus usted ustedes hago para",
}
_WEAK_WORDS = {language: frozenset(text.split()) for language, text in _WEAK_TEXTS.items()}
_SILENT = {language: frozenset(text.split()) for language, text in _SILENT_TEXTS.items()}


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept that stands in a text, and the words (by index) that say so."""

    concept: str
    indices: tuple[int, ...]


def find(words: Sequence[str], language: Language) -> tuple[Mention, ...]:
    """Every concept that the folded words mention, in order; of phrases that begin alike the longest is meant."""
    spoken = [index for index, word in enumerate(words) if word not in _SILENT[language]]
    index = _Index.of(language)
    found = []
    position = 0
    while position < len(spoken):
        following = [words[place] for place in spoken[position : position + index.longest_phrase]]
        phrase = max(_phrases(following, index), key=lambda phrase: len(phrase[0]), default=None)
        taken = len(phrase[0]) if phrase else 1
        if phrase:
            found.append(Mention(phrase[1], tuple(spoken[position : position + taken])))
        position += taken
    return tuple(found)


def essence(concepts: Iterable[str]) -> frozenset[str]:
    """The concepts without those that another of them absorbs."""
    named = frozenset(concepts)
    return named - {ABSORBED.get(name) for name in named}


def is_weak(word: str, language: Language) -> bool:
    """Whether a word says little alone: "quanto custa", "vocês vendem", "hoje", a number."""
    return word in _WEAK_WORDS[language] or word.isdigit()


@cache
def terms(concept: str, language: Language) -> tuple[str, ...]:
    """What full-text search may look for instead of the concept's words: at most `MAX_TERMS`, `*` marks a prefix."""
    phrases = sorted((phrase.split() for phrase in _CONCEPTS[language][concept].split(",")), key=len)
    longest = (max((word.rstrip("*") for word in reversed(phrase)), key=len)[:SEARCHED] for phrase in phrases)
    kept: list[str] = []
    for word in longest:
        if not word.startswith(tuple(kept)):
            kept.append(word)
    return tuple(word + "*" for word in kept[:MAX_TERMS])


@dataclass(frozen=True, slots=True)
class _Index:
    """A table's phrases with their concept by the phrase's first word, its key; and how long both can be."""

    phrases: dict[str, list[tuple[tuple[str, ...], str]]]
    longest_key: int
    longest_phrase: int

    @classmethod
    @cache
    def of(cls, language: Language) -> "_Index":
        """Silent words are left out of the phrases as of the texts."""
        phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for concept, table in _CONCEPTS[language].items():
            for phrase in table.split(","):
                words = tuple(word for word in phrase.split() if word not in _SILENT[language])
                phrases.setdefault(words[0], []).append((words, concept))
        longest_phrase = max(len(words) for same in phrases.values() for words, _ in same)
        return cls(phrases, max(map(len, phrases)), longest_phrase)


def _phrases(following: Sequence[str], index: _Index) -> Iterator[tuple[tuple[str, ...], str]]:
    """The table's phrases that these words begin with."""
    first = following[0]
    keys = (first, *(first[:length] + "*" for length in range(2, min(len(first), index.longest_key) + 1)))
    for key in keys:
        for phrase, concept in index.phrases.get(key, ()):
            if len(phrase) <= len(following) and all(
                word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern
                for word, pattern in zip(following[1:], phrase[1:], strict=False)
            ):
                yield phrase, concept
